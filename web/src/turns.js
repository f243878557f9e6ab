// @ts-check
/** Which crops of a stream's frame are judged: one in turn, as long as the same face stays. Twin: spoofweb/turns.py. */

import { overlapPercent } from "./face.js";

/** @typedef {import("./face.js").Face} Face */

/**
 * What is known of the stream's frame before.
 * @typedef {object} Before
 * @property {number} timeMs
 * @property {Face | null} face
 * @property {readonly string[]} reasons against judging it
 * @property {readonly number[]} judged indices of the crops that were judged in that very frame
 */

/**
 * All crops at first, and again after whatever makes the logits before no witness of this face: another face, a refused
 * frame, a gap, a clock that went back. Else the one that comes after the last judged.
 * @param {Before | null} before null where no frame precedes
 * @param {Face} face
 * @param {number} timeMs
 * @param {number} count of crops
 * @param {import("./contract.js").VerdictRules} rules
 * @returns {number[]} indices of crops
 */
export function inTurn(before, face, timeMs, count, rules) {
  const gap = before ? timeMs - before.timeMs : 0;
  const follows =
    before?.face &&
    before.reasons.length === 0 &&
    gap >= 0 &&
    gap <= rules.lost_ms &&
    overlapPercent(box(before.face), box(face)) >= rules.same_face_percent;
  if (!follows) return Array.from({ length: count }, (_, i) => i);
  return [(before.judged[before.judged.length - 1] + 1) % count];
}

/**
 * @param {Face} face
 * @returns {import("./face.js").FaceBox}
 */
function box({ x0, y0, x1, y1 }) {
  return [x0, y0, x1, y1];
}
