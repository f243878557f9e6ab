// @ts-check
/** What was said over time → a small chart: pure geometry, times in ms, the chart 1 wide and 1 high, y downwards. */

import { bounds } from "./verdict.js";

/** @typedef {import("./contract.js").VerdictRules} VerdictRules */
/** @typedef {"live" | "attack" | "unsure" | "none"} Said "none" where there is no verdict. */
/**
 * @typedef {object} Point
 * @property {number} timeMs
 * @property {number | null} mean Fixed-point logit behind the verdict; null where there is none.
 * @property {Said} said
 */
/** @typedef {{fromMs: number, toMs: number, said: Said}} Run Neighbours that say the same. */
/**
 * @typedef {object} Drawing
 * @property {[number, number][][]} lines
 * @property {[number, number][]} gaps From and to, where nothing was judged.
 * @property {[number, number]} band Upper and lower bound of UNSURE.
 * @property {{from: number, to: number, said: Said}[]} strip
 */

export const SPAN_MS = 10_000;
const HOLE_MS = 1000; // points further apart than this are not joined

/** The points with one more; what is older than the span is dropped. @param {readonly Point[]} points @param {Point} point */
export function push(points, point) {
  const oldest = point.timeMs - SPAN_MS;
  return [...points.filter(({ timeMs }) => timeMs >= oldest && timeMs <= point.timeMs), point];
}

/**
 * Each point holds until the next one, at most for HOLE_MS.
 * @param {readonly Point[]} points @param {number} fromMs @param {number} toMs @returns {Run[]}
 */
export function runs(points, fromMs, toMs) {
  /** @type {Run[]} */
  const found = [];
  /** @param {number} from @param {number} to @param {Said} said */
  const add = (from, to, said) => {
    const last = found.at(-1);
    if (to <= from) return;
    if (last?.said === said) last.toMs = to;
    else found.push({ fromMs: from, toMs: to, said });
  };
  add(fromMs, points[0]?.timeMs ?? toMs, "none");
  points.forEach(({ timeMs, said }, i) => {
    const next = Math.min(points[i + 1]?.timeMs ?? toMs, toMs);
    add(timeMs, Math.min(next, timeMs + HOLE_MS), said);
    add(timeMs + HOLE_MS, next, "none");
  });
  return found;
}

/** The share (0..1) of the time that each word held. @param {readonly Run[]} all @returns {Record<Said, number>} */
export function shares(all) {
  const held = { live: 0, attack: 0, unsure: 0, none: 0 };
  for (const { fromMs, toMs, said } of all) held[said] += toMs - fromMs;
  const whole = Math.max(1, held.live + held.attack + held.unsure + held.none);
  return { live: held.live / whole, attack: held.attack / whole, unsure: held.unsure / whole, none: held.none / whole };
}

/**
 * @param {readonly Point[]} points @param {number} fromMs @param {number} toMs The chart's ends.
 * @param {number} untilMs As far as there are points. @param {VerdictRules} rules
 * @returns {Drawing}
 */
export function drawing(points, fromMs, toMs, untilMs, rules) {
  const x = (/** @type {number} */ timeMs) => (timeMs - fromMs) / Math.max(1, toMs - fromMs);
  const { attack, live } = bounds(rules);
  const y = (/** @type {number} */ logit) => height(logit - (attack + live) / 2, rules);
  /** @type {[number, number][][]} */
  const lines = [];
  let last = -Infinity;
  for (const { timeMs, mean } of points) {
    if (mean === null) {
      last = -Infinity;
      continue;
    }
    if (timeMs - last > HOLE_MS) lines.push([]);
    lines[lines.length - 1].push([x(timeMs), y(mean)]);
    last = timeMs;
  }
  const strip = runs(points, fromMs, untilMs).map((run) => ({ from: x(run.fromMs), to: x(run.toMs), said: run.said }));
  const judgedFrom = points.length ? x(points[0].timeMs) : 1; // before it the camera was off, which is no gap
  /** @type {[number, number][]} */
  const gaps = strip.filter(({ said, to }) => said === "none" && to > judgedFrom).map(({ from, to }) => [from, to]);
  return { lines, gaps, band: [y(live), y(attack)], strip };
}

/**
 * The middle of UNSURE stands half way up; the further from it, the closer logits draw together, so that none leaves the
 * chart.
 * @param {number} above Steps above that middle. @param {VerdictRules} rules
 */
function height(above, rules) {
  const logits = above / rules.logit_one;
  return 0.5 - (0.5 * logits) / (1 + Math.abs(logits));
}
