// @ts-check
/** What is shown of the verdicts so far: the newest seconds of the camera, or a video from its beginning. */

import { decimal, say } from "./strings.js";
import { drawing, runs, shares, SPAN_MS } from "./trace.js";

/** @typedef {import("./store.js").State} State */
/**
 * @typedef {object} Chart
 * @property {string} title
 * @property {string} label All of it in words, for those who do not see it.
 * @property {string} from What stands at its left end.
 * @property {string} to
 * @property {import("./trace.js").Drawing} drawing
 * @property {boolean} strip The words stand below, too.
 */
/** @typedef {{time: string, said: string, word: string}} RunText */

/** @param {string} stage @param {State} state @returns {Chart | null} */
export function chartOf(stage, state) {
  const { points, rules } = state;
  if (!rules || !points.length || (stage !== "video" && stage !== "film")) return null;
  const film = stage === "film";
  const untilMs = film ? judgedUntil(state) : points[points.length - 1].timeMs;
  const [fromMs, toMs] = film ? [0, state.file?.durationMs ?? 1] : [untilMs - SPAN_MS, untilMs];
  const seconds = SPAN_MS / 1000;
  const title = film ? say("trace.film") : say("trace.title", { seconds });
  const share = shares(runs(points, Math.max(fromMs, points[0].timeMs), untilMs));
  const percents = Object.fromEntries(Object.entries(share).map(([word, value]) => [word, Math.round(100 * value)]));
  return {
    title,
    label: say("trace.label", { title, ...percents }),
    from: film ? durationOf(0) : say("trace.from", { seconds }),
    to: film ? durationOf(toMs) : say("trace.to"),
    drawing: drawing(points, fromMs, toMs, untilMs, rules),
    strip: film,
  };
}

/** The verdicts of a video in order. @param {State} state @returns {RunText[]} */
export function runsOf(state) {
  const { points, file } = state;
  if (!points.length || file?.name !== "watched") return [];
  return runs(points, 0, Math.max(1, judgedUntil(state))).map(({ fromMs, toMs, said }) => ({
    time: say("run", { from: durationOf(fromMs), to: durationOf(toMs) }),
    said,
    word: say(said === "none" ? "refused.word" : `${said}.word`),
  }));
}

/** As far as a video has been judged. @param {State} state */
function judgedUntil({ points, file }) {
  return file?.name === "watched" && !file.cancelled ? (file.durationMs ?? 0) : points[points.length - 1].timeMs;
}

/** Minutes and seconds to a tenth, e.g. 0:03.2. @param {number} ms */
export function durationOf(ms) {
  const tenths = Math.round(ms / 100);
  const minutes = Math.floor(tenths / 600);
  return `${minutes}:${decimal((tenths % 600) / 10, 1, 2)}`;
}
