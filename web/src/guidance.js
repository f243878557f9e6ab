// @ts-check
/** From why a frame is refused to what its user is told: a hint that does not flicker, and where to be. */

/** @typedef {{shown: string, wanted: string, sinceMs: number}} Hint Reason codes, "" for none. */
/** @typedef {{cx: number, cy: number, rx: number, ry: number}} Oval In px of the frame. */

const HOLD_MS = 400; // a reason counts once it has stood for so long, and likewise its end
const AIM = 0.36; // of the frame's shorter side: a face box of this size is well within the bounds of quality.js
const HEAD = 1.35; // height of a head as a multiple of its face box
const HEAD_WIDTH = 0.74; // and its width as a share of its height

/** @type {Readonly<Hint>} */
export const NO_HINT = Object.freeze({ shown: "", wanted: "", sinceMs: 0 });

/**
 * The hint after one more frame.
 * @param {Readonly<Hint>} before
 * @param {string} wanted The frame's worst reason, or "".
 * @param {number} timeMs
 * @param {boolean} atOnce There is no verdict that could stand meanwhile.
 * @returns {Readonly<Hint>}
 */
export function hint(before, wanted, timeMs, atOnce) {
  const sinceMs = wanted === before.wanted ? before.sinceMs : timeMs;
  const shown = wanted === before.shown || atOnce || timeMs - sinceMs >= HOLD_MS ? wanted : before.shown;
  return { shown, wanted, sinceMs };
}

/** Where a face should be: in the frame's middle. @param {number} width Of the frame, px. @param {number} height @returns {Oval} */
export function oval(width, height) {
  const ry = (HEAD * AIM * Math.min(width, height)) / 2;
  return { cx: width / 2, cy: height / 2, rx: ry * HEAD_WIDTH, ry };
}
