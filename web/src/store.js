// @ts-check
/** What is the case, in one place: each part of the page changes its own piece of it. */

/** @typedef {import("./contract.js").VerdictRules} VerdictRules */
/** @typedef {import("./contract.js").ErrorCurve} ErrorCurve */
/** @typedef {import("./trace.js").Point} Point */
/** @typedef {{x0: number, y0: number, x1: number, y1: number}} Box A face in the frame, px. */

/**
 * @typedef {object} Judged What is known about the newest frame or the picture.
 * @property {import("./verdict.js").Word} word From accepted frames only.
 * @property {number | null} live Probability (0..1) behind the word; null where nothing was accepted.
 * @property {string} reason Why there is no verdict now: a code of quality.js, or "".
 * @property {Box[]} boxes All faces.
 * @property {number} judged Which of them was judged; -1 without any.
 * @property {number} width Of the frame, px.
 * @property {number} height
 * @property {import("./heat.js").Heat | null} heat
 */
/**
 * @typedef {object} EngineState
 * @property {"loading" | "ready" | "failed"} name
 * @property {number} loaded Bytes so far.
 * @property {number} total Bytes in all; 0 while unknown.
 * @property {string} reason Why it failed, see engine.js.
 * @property {string} detail
 */
/**
 * A picture or video in place of the camera: `video` while it is judged along its time line, `watched` after that.
 * @typedef {object} FileState
 * @property {"reading" | "picture" | "video" | "watched" | "unreadable" | "unjudged" | "no-picture" | "too-long" | "unfetched"} name
 * @property {string} file
 * @property {number} [timeMs] How far a video is judged.
 * @property {number} [durationMs]
 * @property {boolean} [cancelled] It was not judged to its end.
 */
/**
 * @typedef {object} State
 * @property {EngineState} engine
 * @property {import("./camera.js").CameraState} camera
 * @property {"" | "black" | "frozen"} signal What is wrong with all that the camera sends.
 * @property {FileState | null} file
 * @property {Judged | null} judged
 * @property {number} frames Camera frames judged since the start.
 * @property {readonly Point[]} points What was said of late, or along the video.
 * @property {{ms: number, count: number} | null} latency
 * @property {VerdictRules | null} rules In force; null until the contract is there.
 * @property {ErrorCurve | null} curve
 * @property {number} at Index in the curve of the threshold in force.
 * @property {boolean} heat The evidence is to be shown.
 * @property {boolean} renewable A new version of the page is ready.
 */

export class Store {
  #shown;

  /** @param {State} state @param {(state: State) => void} shown Called after each change. */
  constructor(state, shown) {
    this.state = state;
    this.#shown = shown;
  }

  /** @param {Partial<State>} change */
  update(change) {
    this.state = { ...this.state, ...change };
    this.#shown(this.state);
  }
}
