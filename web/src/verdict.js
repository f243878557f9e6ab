// @ts-check
/**
 * Judged frames → one word over time: live, attack, unsure or none. Twin: spoofweb/verdict.py.
 *
 * A pure reducer in fixed point: `step(state, frame, rules)` gives the next state, and nothing else is remembered.
 */

import { overlapPercent } from "./face.js";

/** @typedef {import("./contract.js").VerdictRules} VerdictRules */
/** @typedef {import("./face.js").FaceBox} FaceBox */
/** @typedef {"live" | "attack" | "unsure" | "none"} Word */

export const LIVE = "live";
export const ATTACK = "attack";
export const UNSURE = "unsure";
export const NONE = "none";

/**
 * What one frame said. `box` is null without a face; `logit` in fixed point (see `fixed`) is null then too, and for a
 * face that a quality gate refused.
 * @typedef {{timeMs: number, box: FaceBox | null, logit: number | null}} Judged
 */

/**
 * @typedef {object} State
 * @property {Word} word so far
 * @property {number | null} mean the trimmed mean logit behind it (fixed point), null while nothing was judged
 * @property {readonly (readonly [timeMs: number, logit: number])[]} window oldest first
 * @property {FaceBox | null} box
 * @property {number} seenMs
 */

/** @type {Readonly<State>} */
export const START = Object.freeze({ word: NONE, mean: null, window: Object.freeze([]), box: null, seenMs: 0 });

/**
 * A logit in the contract's fixed point, halves up, clipped to ± `logit_max`.
 * @param {number} logit
 * @param {VerdictRules} rules
 * @returns {number}
 */
export function fixed(logit, rules) {
  const steps = Math.floor(logit * rules.logit_one + 0.5);
  return Math.max(-rules.logit_max, Math.min(rules.logit_max, steps));
}

/**
 * Live probability (0..1) of a fixed-point logit.
 * @param {number} logit
 * @param {VerdictRules} rules
 * @returns {number}
 */
export function probability(logit, rules) {
  return 1 / (1 + Math.exp(-logit / rules.logit_one));
}

/**
 * The highest logit of an ATTACK and the lowest of a LIVE, fixed point; what lies between them is UNSURE.
 *
 * They stand a margin below and above the threshold; but the first so low that nothing that is likelier live than not
 * is an ATTACK, nor is kept one.
 * @param {VerdictRules} rules
 * @returns {{attack: number, live: number}}
 */
export function bounds(rules) {
  return { attack: Math.min(-rules.hysteresis, rules.threshold - rules.margin), live: rules.threshold + rules.margin };
}

/**
 * The word for a fixed-point logit; a word given `before` is kept until the logit is `hysteresis` beyond its bound.
 * @param {number} logit
 * @param {VerdictRules} rules
 * @param {Word} [before]
 * @returns {Word}
 */
export function word(logit, rules, before = UNSURE) {
  const { attack, live } = bounds(rules);
  if (logit >= live - (before === LIVE ? rules.hysteresis : 0)) return LIVE;
  if (logit <= attack + (before === ATTACK ? rules.hysteresis : 0)) return ATTACK;
  return UNSURE;
}

/**
 * The state after one more frame. A clock that jumps, forth or back, starts anew; `rules` is the contract's `verdict`.
 *
 * A refused face keeps the window alive but adds nothing to it, so that a word ends with the frames behind it.
 * @param {Readonly<State>} state
 * @param {Judged} frame
 * @param {VerdictRules} rules
 * @returns {Readonly<State>}
 */
export function step(state, frame, rules) {
  if (frame.box === null) {
    const lost = state.box !== null && torn(state, frame, rules);
    return lost ? START : state;
  }
  let before = state;
  if (state.box && overlapPercent(state.box, frame.box) < rules.same_face_percent) before = START;
  if (torn(before, frame, rules)) before = START;
  const oldest = frame.timeMs - rules.window_ms;
  const kept = before.window.filter(([timeMs]) => timeMs >= oldest);
  /** @type {State["window"]} */
  const counted = frame.logit === null ? [] : [[frame.timeMs, frame.logit]];
  const window = [...kept, ...counted].slice(-rules.window_frames);
  const [box, seenMs] = [frame.box, frame.timeMs];
  if (!window.length) return Object.freeze({ ...START, word: UNSURE, box, seenMs });
  const mean = trimmedMean(window.map(([, logit]) => logit), rules.trim_percent);
  let said = window.length >= rules.min_frames ? word(mean, rules, before.word) : UNSURE;
  // a frame that does not count may end a word, never give one
  if (frame.logit === null && said !== before.word) said = UNSURE;
  return Object.freeze({ word: said, mean, window: Object.freeze(window), box, seenMs });
}

/**
 * Whether a frame does not follow the last face in time.
 * @param {Readonly<State>} state
 * @param {Judged} frame
 * @param {VerdictRules} rules
 */
function torn({ seenMs }, { timeMs }, rules) {
  return timeMs < seenMs || timeMs - seenMs > rules.lost_ms;
}

/**
 * Mean of the values without the lowest and highest `percent` of them (counts rounded down), halves up.
 * @param {number[]} values integers, at least one
 * @param {number} percent below 50
 * @returns {number}
 */
export function trimmedMean(values, percent) {
  const drop = Math.floor((values.length * percent) / 100);
  const kept = [...values].sort((a, b) => a - b).slice(drop, values.length - drop);
  const sum = kept.reduce((total, value) => total + value, 0);
  return Math.floor((2 * sum + kept.length) / (2 * kept.length));
}
