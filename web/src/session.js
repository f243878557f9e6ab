// @ts-check
/** The camera's frames, one after the other, from the preview to the verdict. */

import { EngineError } from "./engine.js";
import { eachFrame } from "./frames.js";
import { hint, NO_HINT } from "./guidance.js";
import { Health } from "./health.js";
import { Idle } from "./idle.js";
import { asJudged, asPoint, asShown } from "./judge.js";
import { Latency } from "./latency.js";
import { push } from "./trace.js";
import * as verdict from "./verdict.js";

const LATENCY_FRAMES = 60;
const LATENCY_EVERY = 15; // frames between two updates of the latency, so that it can be read
const FRAMES_LOST = 10; // unreadable frames in a row that are no accident any more
const STALLED_MS = 5000; // without any frame for so long, the camera has frozen
const IDLE_MS = 120_000;
const SIGNS = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"];

/** @typedef {{bitmap: ImageBitmap, timeMs: number, tookMs: number}} Taken a frame that waits to be judged */

export class Session {
  #store;
  #judge;
  #camera;
  #video;
  #loop = new AbortController();
  #idle;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #stalled;
  #stream = 0; // counts the camera's streams

  /**
   * @param {import("./store.js").Store} store @param {import("./judge.js").Judge} judge
   * @param {import("./camera.js").Camera} camera @param {HTMLVideoElement} video
   */
  constructor(store, judge, camera, video) {
    this.#store = store;
    this.#judge = judge;
    this.#camera = camera;
    this.#video = video;
    this.#idle = new Idle(IDLE_MS, () => camera.rest());
    for (const sign of SIGNS) addEventListener(sign, () => this.#idle.sign(), { passive: true });
  }

  /** Follows the camera: a new stream is watched, the old one no more. @param {import("./camera.js").CameraState} now */
  follow(now) {
    const fresh = now.stream !== this.#store.state.camera.stream;
    if (fresh) this.#end();
    const nothing = { judged: null, latency: null, frames: 0, points: [], signal: /** @type {const} */ ("") };
    this.#store.update(fresh ? { camera: now, ...nothing } : { camera: now });
    if (now.stream && document.hidden) this.#camera.pause();
    else if (fresh) this.#watch(now.stream);
  }

  #end() {
    this.#loop.abort();
    this.#idle.stop();
    clearTimeout(this.#stalled);
  }

  /** @param {MediaStream | null} stream */
  async #watch(stream) {
    this.#video.srcObject = stream;
    if (!stream) return;
    this.#loop = new AbortController();
    const { signal } = this.#loop;
    this.#idle.start();
    this.#video.play().catch(() => {}); // overtaken by the next stream
    if (!(await this.#judge.ready) || signal.aborted) return;
    this.#expectFrame();
    await eachFrame(this.#video, signal, (timeMs) => this.#take(timeMs, signal), this.#judging(signal));
  }

  /** @param {number} timeMs @param {AbortSignal} signal @returns {Promise<Taken | null>} */
  async #take(timeMs, signal) {
    clearTimeout(this.#stalled);
    const began = performance.now();
    // 0 × 0 while a camera starts or turns; no bitmap where the video has just been emptied
    const empty = !this.#video.videoWidth || !this.#video.videoHeight;
    const bitmap = empty ? null : await createImageBitmap(this.#video).catch(() => null);
    if (bitmap) return { bitmap, timeMs, tookMs: performance.now() - began };
    if (!signal.aborted) this.#expectFrame();
    return null;
  }

  #expectFrame() {
    clearTimeout(this.#stalled);
    this.#stalled = setTimeout(() => this.#store.update({ signal: "frozen" }), STALLED_MS);
  }

  /** @param {AbortSignal} signal @returns {(taken: Taken) => Promise<void>} */
  #judging(signal) {
    const store = this.#store;
    const stream = ++this.#stream;
    const latency = new Latency(LATENCY_FRAMES);
    const health = new Health();
    let said = verdict.START;
    let told = NO_HINT;
    let lost = 0;
    return async ({ bitmap, timeMs, tookMs }) => {
      const engine = await this.#judge.ready; // the one before may have broken down
      if (!engine || signal.aborted) return bitmap.close();
      this.#expectFrame();
      const began = performance.now();
      const wrong = health.look(bitmap, began);
      try {
        const seen = await this.#judge.observe(engine, bitmap, Math.round(timeMs), stream);
        const { rules, frames: before, points } = store.state;
        if (signal.aborted || !rules) return;
        lost = 0;
        latency.add(tookMs + Object.values(seen.stages).reduce((sum, ms) => sum + ms, 0));
        if (seen.face) this.#idle.sign();
        said = verdict.step(said, asJudged(seen, rules, wrong !== ""), rules);
        told = hint(told, seen.reasons[0] ?? "", seen.timeMs, said.mean === null);
        const refused = told.shown !== "" || wrong !== "";
        const frames = before + 1;
        const due = frames % LATENCY_EVERY === 0;
        store.update({
          judged: asShown(seen, said, told.shown, engine.contract),
          points: push(points, asPoint(seen.timeMs, said, refused)),
          signal: wrong,
          frames,
          ...(due && { latency: { ms: latency.median ?? 0, count: latency.count } }),
        });
      } catch (error) {
        const accident = error instanceof EngineError && error.reason === "frame" && ++lost < FRAMES_LOST;
        if (!signal.aborted && !accident && this.#judge.fail(error, engine)) lost = 0;
      }
    };
  }
}
