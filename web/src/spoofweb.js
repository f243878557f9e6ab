// @ts-check
/**
 * The engine for other pages: real face or attack, in a few calls. Shown with an example on developers.html.
 *
 *     const detector = await createDetector();
 *     const { verdict, live, reason } = await detector.detect(video);
 *     detector.close();
 *
 * The page may lie anywhere on the origin that this module comes from; a worker cannot come from another one.
 */

import { Engine, EngineError, readPicture } from "./engine.js";
import { alone, asJudged } from "./judge.js";
import * as verdict from "./verdict.js";

export { EngineError };

/** @typedef {HTMLVideoElement | HTMLImageElement | HTMLCanvasElement | OffscreenCanvas | ImageBitmap | Blob} Source */

/**
 * A face, in pixels of the source, which it may reach over.
 * @typedef {{x: number, y: number, width: number, height: number, score: number}} FaceBox score: 0..1, how sure it is a face
 */

/**
 * @typedef {object} Detection
 * @property {verdict.Word} verdict "live", which alone accepts, "attack", "unsure", or "none" where there is no face
 * @property {number | null} live probability of a live face, 0..1; null while nothing was judged
 * @property {string | null} reason why the face was not judged, as a code of quality.js; null where it was
 * @property {FaceBox[]} faces all that were found, best score first; the largest is the one that is judged
 * @property {import("./engine.js").Observation} observation all that the networks said, in the contract's units
 */

/**
 * Load the networks (some megabytes, once) and start the worker.
 * @param {object} [options]
 * @param {string | URL} [options.contract] another site's contract.json, relative to the page
 * @param {(bytes: {loaded: number, total: number}) => void} [options.onProgress]
 * @param {AbortSignal} [options.signal] gives up waiting for the networks
 * @returns {Promise<Detector>} rejects with an EngineError, or with the signal's reason
 */
export async function createDetector({ contract, onProgress, signal } = {}) {
  signal?.throwIfAborted();
  const loading = Engine.load(contract ?? new URL("contract.json", import.meta.url), { onProgress });
  /** @type {Promise<never>} */
  const aborted = new Promise((_, reject) => {
    signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  try {
    return new Detector(await Promise.race([loading, aborted]));
  } catch (error) {
    loading.then((late) => late.close(), () => {});
    throw error;
  }
}

/** Judges one source after the other. Use `createDetector`. */
export class Detector {
  #engine;
  #said = verdict.START;
  #stream = 1; // counts up with each reset
  /** @type {Promise<unknown>} the last call's: verdicts come in the order of the calls */
  #last = Promise.resolve();

  /** @param {Engine} engine */
  constructor(engine) {
    this.#engine = engine;
  }

  /**
   * Judge what a source shows now. Calls at the same time are dealt with in turn.
   *
   * With a time, it is a frame of a stream: the verdict is that over the last frames, and starts over when the face
   * changes. Without, it is a picture judged by itself. A video element always is a stream, by default of this moment.
   * @param {Source} source an ImageBitmap stays the caller's
   * @param {number} [timeMs] when it was taken, on a clock that does not go back between two calls of `reset`
   * @returns {Promise<Detection>} rejects with an EngineError; after the reason "frame" the next call may succeed
   */
  detect(source, timeMs) {
    const streams = timeMs !== undefined || source instanceof HTMLVideoElement;
    const taken = Math.round(timeMs ?? performance.now());
    const shown = grabbed(source);
    shown.catch(() => {}); // said when its turn comes
    return this.#inTurn(async () => {
      const seen = await this.#engine.observe(await shown, taken, streams ? this.#stream : 0);
      return this.#detection(seen, streams);
    });
  }

  /** Forget the stream's frames so far, as for a new person. */
  reset() {
    this.#inTurn(async () => {
      this.#said = verdict.START;
      this.#stream += 1;
    });
  }

  /** Stop the worker and free its memory; what is not yet judged rejects with reason "closed". */
  close() {
    this.#engine.close();
  }

  /**
   * @template T
   * @param {() => Promise<T>} task
   * @returns {Promise<T>}
   */
  #inTurn(task) {
    const done = this.#last.then(task);
    this.#last = done.catch(() => {});
    return done;
  }

  /**
   * @param {import("./engine.js").Observation} seen
   * @param {boolean} streams
   * @returns {Detection}
   */
  #detection(seen, streams) {
    const { verdict: rules, detector } = this.#engine.contract;
    const judged = asJudged(seen, rules);
    const { word, mean } = streams ? (this.#said = verdict.step(this.#said, judged, rules)) : alone(judged, rules);
    const faces = seen.faces.map(({ x0, y0, x1, y1, score }) => ({
      x: x0 / detector.subpixel,
      y: y0 / detector.subpixel,
      width: (x1 - x0) / detector.subpixel,
      height: (y1 - y0) / detector.subpixel,
      score: score / detector.score_one,
    }));
    const live = mean === null ? null : verdict.probability(mean, rules);
    return { verdict: word, live, reason: seen.reasons[0] ?? null, faces, observation: seen };
  }
}

/**
 * @param {Source} source
 * @returns {Promise<ImageBitmap>} rejects with an EngineError
 */
async function grabbed(source) {
  try {
    return await (source instanceof Blob ? readPicture(source) : createImageBitmap(source));
  } catch (error) {
    throw new EngineError("frame", `the source shows nothing that can be read (${error})`);
  }
}
