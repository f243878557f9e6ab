// @ts-check
/** Does the camera send pictures at all? A look at a few pixels now and then tells black ones and ever the same one. */

const WIDTH = 64;
const HEIGHT = 48;
const EVERY_MS = 500;
const FROZEN_MS = 5000;
const BLACK = 24; // no channel of any looked-at pixel is above

export class Health {
  #context;
  /** @type {Uint8ClampedArray | null} */
  #before = null;
  #lookedMs = -Infinity;
  #changedMs = -Infinity;
  /** @type {"" | "black" | "frozen"} */
  #found = "";

  constructor() {
    this.#context = new OffscreenCanvas(WIDTH, HEIGHT).getContext("2d", { alpha: false, willReadFrequently: true });
    // single pixels and no means of many, in which the noise of a real camera would drown
    if (this.#context) this.#context.imageSmoothingEnabled = false;
  }

  /** @param {CanvasImageSource} frame @param {number} nowMs @returns {"" | "black" | "frozen"} */
  look(frame, nowMs) {
    if (!this.#context || nowMs - this.#lookedMs < EVERY_MS) return this.#found;
    this.#lookedMs = nowMs;
    this.#context.drawImage(frame, 0, 0, WIDTH, HEIGHT);
    const { data } = this.#context.getImageData(0, 0, WIDTH, HEIGHT);
    if (!this.#before || !alike(data, this.#before)) this.#changedMs = nowMs;
    this.#before = data;
    this.#found = black(data) ? "black" : nowMs - this.#changedMs >= FROZEN_MS ? "frozen" : "";
    return this.#found;
  }
}

/** @param {Uint8ClampedArray} a @param {Uint8ClampedArray} b */
function alike(a, b) {
  return a.every((value, i) => value === b[i]);
}

/** @param {Uint8ClampedArray} rgba */
function black(rgba) {
  return rgba.every((value, i) => value <= BLACK || i % 4 === 3);
}
