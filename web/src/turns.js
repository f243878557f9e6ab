// @ts-check
/**
 * What of a stream's frame is looked at: the face is judged by one crop in turn, where it was; now and then it is looked
 * for again. Twin: spoofweb/turns.py.
 */

import { overlapPercent } from "./face.js";

/** @typedef {import("./contract.js").VerdictRules} VerdictRules */
/** @typedef {import("./face.js").Face} Face */

/**
 * What is known of a frame of the stream.
 * @typedef {object} Before
 * @property {number} timeMs
 * @property {number} width px
 * @property {number} height px
 * @property {Face | null} face
 * @property {readonly string[]} reasons against judging it
 * @property {number} lookedMs time of the frame in which the face was looked for
 * @property {readonly number[]} judged indices of the crops that were judged in that very frame
 */

/**
 * The crop whose turn it is.
 * @param {Before | null} before null where no frame precedes
 * @param {{timeMs: number, width: number, height: number}} now
 * @param {number} count of crops
 * @param {VerdictRules} rules
 * @returns {number | null} its index; null to start anew, with all crops, as the logits before are no witness any more:
 *   no face or a refused one, a gap, a clock that went back, a frame of another size
 */
export function turn(before, now, count, rules) {
  if (!before?.face || before.reasons.length) return null;
  const gap = now.timeMs - before.timeMs;
  if (gap < 0 || gap > rules.lost_ms || now.width !== before.width || now.height !== before.height) return null;
  return (before.judged[before.judged.length - 1] + 1) % count;
}

/**
 * Whether the face is looked for again in a frame.
 * @param {Before} before
 * @param {number} timeMs of the frame
 * @param {number} lookMs the contract's: once it was found so long ago
 */
export function looks(before, timeMs, lookMs) {
  return timeMs - before.lookedMs >= lookMs;
}

/**
 * Whether two frames show the same face, by where it is.
 * @param {Face} a
 * @param {Face} b
 * @param {VerdictRules} rules
 */
export function sameFace(a, b, rules) {
  return overlapPercent([a.x0, a.y0, a.x1, a.y1], [b.x0, b.y0, b.x1, b.y1]) >= rules.same_face_percent;
}
