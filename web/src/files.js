// @ts-check
/** A picture, or a video along its time line, judged in place of the camera. */

import { EngineError, readPicture } from "./engine.js";
import { hint, NO_HINT } from "./guidance.js";
import { alone, asJudged, asPoint, asShown } from "./judge.js";
import { alongTimeline, MediaError } from "./timeline.js";
import * as verdict from "./verdict.js";

/** @typedef {import("./engine.js").Engine} Engine */
/** @typedef {import("./engine.js").Observation} Observation */
/** @typedef {import("./store.js").FileState["name"]} FileName */

const EVERY_MS = 200;
const LIMIT_MS = 600_000;
const VIDEO_NAME = /\.(mp4|m4v|webm|mov|ogv|mkv|avi)$/i; // where the system does not know the file's type

export class Files {
  #store;
  #judge;
  #picture;
  #film;
  #stopCamera;
  #under = new AbortController();
  /** @type {Observation[]} What has been seen of the file, kept so that another threshold can be tried on it. */
  #seen = [];

  /**
   * @param {import("./store.js").Store} store @param {import("./judge.js").Judge} judge
   * @param {{picture: HTMLImageElement, film: HTMLCanvasElement}} places Where pictures and videos are shown.
   * @param {() => void} stopCamera
   */
  constructor(store, judge, { picture, film }, stopCamera) {
    this.#store = store;
    this.#judge = judge;
    this.#picture = picture;
    this.#film = film;
    this.#stopCamera = stopCamera;
  }

  /** Judge a file; the latest call wins. @param {File} chosen */
  open(chosen) {
    return this.#attempt(chosen.name, async () => chosen);
  }

  /** Judge a sample of the page's own. @param {string} url @param {string} title */
  sample(url, title) {
    return this.#attempt(title, async (signal) => {
      const answer = await fetch(url, { signal });
      return answer.ok ? answer.blob() : null;
    });
  }

  /** Show the camera's place again. */
  leave() {
    this.#under.abort();
    this.#seen = [];
    if (!this.#store.state.file) return;
    URL.revokeObjectURL(this.#picture.src);
    this.#picture.removeAttribute("src");
    this.#store.update({ file: null, judged: null, points: [] });
  }

  /** Judge no more of a video, and keep what has been said of it. */
  cancel() {
    const { file } = this.#store.state;
    if (file?.name !== "video") return;
    this.#under.abort();
    this.#store.update({ file: { ...file, name: "watched", cancelled: true } });
  }

  /** Say anew what was said, at the threshold now in force. */
  async sayAgain() {
    const engine = await this.#judge.ready;
    if (!engine || !this.#seen.length) return;
    if (this.#store.state.file?.name === "picture") this.#sayPicture(this.#seen[0], engine);
    else this.#sayFilm(engine);
  }

  /** @param {string} file @param {(signal: AbortSignal) => Promise<Blob | null>} get */
  async #attempt(file, get) {
    this.leave();
    this.#under = new AbortController();
    const { signal } = this.#under;
    this.#stopCamera();
    if (this.#store.state.engine.name === "failed") return;
    const become = (/** @type {FileName} */ name) => {
      if (!signal.aborted) this.#store.update({ file: { name, file } });
    };
    this.#store.update({ file: { name: "reading", file }, judged: null, latency: null, points: [] });
    const blob = await get(signal).catch(() => null);
    if (!blob) return become("unfetched");
    const isVideo = blob.type ? blob.type.startsWith("video/") : VIDEO_NAME.test(file);
    try {
      await (isVideo ? this.#judgeFilm(blob, file, signal) : this.#judgePicture(blob, file, signal));
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof MediaError) become(error.reason);
      else if (error instanceof EngineError && error.reason !== "frame") {
        if (this.#judge.fail(error)) await this.#attempt(file, get);
      } else become("unjudged");
    }
  }

  /** @param {Blob} blob @param {string} file @param {AbortSignal} signal */
  async #judgePicture(blob, file, signal) {
    const bitmap = await readPicture(blob).catch((error) => {
      throw new MediaError("unreadable", String(error));
    });
    if (signal.aborted) return bitmap.close();
    this.#picture.src = URL.createObjectURL(blob);
    this.#store.update({ file: { name: "picture", file } });
    const engine = await this.#judge.ready;
    if (!engine || signal.aborted) return bitmap.close();
    const seen = await this.#judge.observe(engine, bitmap, 0);
    if (signal.aborted) return;
    this.#seen = [seen];
    this.#sayPicture(seen, engine);
  }

  /** @param {Observation} seen @param {Engine} engine */
  #sayPicture(seen, engine) {
    const { rules } = this.#store.state;
    if (!rules) return;
    const said = alone(asJudged(seen, rules), rules);
    this.#store.update({ judged: asShown(seen, said, seen.reasons[0] ?? "", engine.contract) });
  }

  /** @param {Blob} blob @param {string} file @param {AbortSignal} signal */
  async #judgeFilm(blob, file, signal) {
    const engine = await this.#judge.ready;
    if (!engine || signal.aborted) return;
    for await (const moment of alongTimeline(blob, { signal, everyMs: EVERY_MS, limitMs: LIMIT_MS })) {
      const { timeMs, durationMs, bitmap } = moment;
      Object.assign(this.#film, { width: bitmap.width, height: bitmap.height });
      this.#film.getContext("2d")?.drawImage(bitmap, 0, 0);
      const seen = await this.#judge.observe(engine, bitmap, timeMs);
      if (signal.aborted) return;
      this.#seen.push(seen);
      this.#store.update({ file: { name: "video", file, timeMs, durationMs } });
      this.#sayFilm(engine);
    }
    const { file: now } = this.#store.state;
    if (now && !signal.aborted) this.#store.update({ file: { ...now, name: "watched", timeMs: now.durationMs } });
  }

  /** The verdict over all of the video that has been seen. @param {Engine} engine */
  #sayFilm(engine) {
    const { rules } = this.#store.state;
    const newest = this.#seen.at(-1);
    if (!rules || !newest) return;
    let said = verdict.START;
    let told = NO_HINT;
    const points = this.#seen.map((seen) => {
      said = verdict.step(said, asJudged(seen, rules), rules);
      told = hint(told, seen.reasons[0] ?? "", seen.timeMs, said.mean === null);
      return asPoint(seen.timeMs, said, told.shown !== "");
    });
    this.#store.update({ points, judged: asShown(newest, said, told.shown, engine.contract) });
  }
}
