// @ts-check
/**
 * Frame → faces: letterbox in, integer detections out. Twin: spoofweb/face.py.
 *
 * The detector's graph rounds to fixed point, so everything here is integer arithmetic. Math.floor(a / b) is exact as
 * long as |a| < 2^53: a quotient that is no integer is further from the next one than a double's rounding error. The
 * largest dividend, twice a score-weighted sum of 896 coordinates, stays below 2^50.
 */

import { resample } from "./resample.js";

/** @typedef {import("./contract.js").DetectorRules} DetectorRules */
/** @typedef {import("./resample.js").Frame} Frame */

/**
 * A face in frame coordinates. All lengths in 1/256 px, `score` in 1/65536; a box may reach out of the frame.
 * @typedef {object} Face
 * @property {number} x0
 * @property {number} y0
 * @property {number} x1
 * @property {number} y1
 * @property {number} score
 * @property {number[]} keypoints x, y of right eye, left eye, nose tip, mouth centre, right ear, left ear
 */

/**
 * Where the whole frame lies inside the detector's square input, in whole pixels.
 * @typedef {{x: number, y: number, width: number, height: number}} Letterbox
 */

/** @typedef {readonly [x0: number, y0: number, x1: number, y1: number]} FaceBox integers, one unit for all */

const COLUMNS = 17; // score, box, six keypoints

/**
 * The largest centred placement of a width × height frame, aspect ratio kept to the nearest pixel.
 * @param {number} width
 * @param {number} height
 * @param {DetectorRules} rules
 * @returns {Letterbox}
 */
export function letterbox(width, height, { side }) {
  const longer = Math.max(width, height);
  const w = Math.max(1, Math.floor((2 * width * side + longer) / (2 * longer)));
  const h = Math.max(1, Math.floor((2 * height * side + longer) / (2 * longer)));
  return { x: Math.floor((side - w) / 2), y: Math.floor((side - h) / 2), width: w, height: h };
}

/**
 * The frame shrunk into the letterbox, black around it.
 * @param {Frame} frame
 * @param {DetectorRules} rules
 * @returns {Uint8Array} RGB bytes [1, side, side, 3]
 */
export function detectorInput(frame, rules) {
  const { side } = rules;
  const place = letterbox(frame.width, frame.height, rules);
  const shrunk = resample(frame, [0, 0, frame.width, frame.height], place.width, place.height);
  const image = new Uint8Array(side * side * 3);
  const row = place.width * 3;
  for (let y = 0; y < place.height; y++) {
    image.set(shrunk.subarray(y * row, (y + 1) * row), ((place.y + y) * side + place.x) * 3);
  }
  return image;
}

/**
 * All faces of a width × height frame, best score first. Overlapping detections become one by score-weighted means
 * (BlazeFace's blending instead of suppression).
 * @param {Int32Array} detections [896 × 17], the detector's output: score, box, six keypoints, in fixed point of its input
 * @param {number} width
 * @param {number} height
 * @param {DetectorRules} rules
 * @returns {Face[]}
 */
export function faces(detections, width, height, rules) {
  const place = letterbox(width, height, rules);
  /** @type {number[][]} */
  let rows = [];
  for (let at = 0; at < detections.length; at += COLUMNS) {
    if (detections[at] >= rules.score_min) rows.push(Array.from(detections.subarray(at, at + COLUMNS)));
  }
  rows.sort((a, b) => b[0] - a[0]); // stable, as in Python: equal scores keep the anchors' order
  /** @type {Face[]} */
  const found = [];
  while (rows.length) {
    const best = rows[0];
    const others = rows.slice(1);
    const group = [best, ...others.filter((row) => overlap(best, row, rules))];
    rows = others.filter((row) => !overlap(best, row, rules));
    const weight = group.reduce((sum, row) => sum + row[0], 0);
    /** @type {number[]} */
    const points = [];
    for (let i = 1; i < COLUMNS; i += 2) {
      const x = divide(group.reduce((sum, row) => sum + row[0] * row[i], 0), weight);
      const y = divide(group.reduce((sum, row) => sum + row[0] * row[i + 1], 0), weight);
      points.push(divide((x - place.x * rules.subpixel) * width, place.width));
      points.push(divide((y - place.y * rules.subpixel) * height, place.height));
    }
    const [x0, y0, x1, y1, ...keypoints] = points;
    found.push({ x0, y0, x1, y1, score: best[0], keypoints });
  }
  return found.filter((face) => face.x1 > face.x0 && face.y1 > face.y0);
}

/**
 * The face that is judged: largest box area, the better score where equal.
 * @param {Face[]} found best score first
 * @returns {Face | null} null if there is none
 */
export function largest(found) {
  /** @type {Face | null} */
  let chosen = null;
  for (const face of found) if (!chosen || area(face) > area(chosen)) chosen = face;
  return chosen;
}

/**
 * Intersection over union of two boxes, in percent, rounded down.
 * @param {FaceBox} a
 * @param {FaceBox} b
 * @returns {number}
 */
export function overlapPercent(a, b) {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  if (width <= 0 || height <= 0) return 0;
  const common = width * height;
  const union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common;
  return Math.floor((100 * common) / union);
}

/** @param {Face} face */
function area(face) {
  return (face.x1 - face.x0) * (face.y1 - face.y0);
}

/**
 * @param {number[]} a detection
 * @param {number[]} b detection
 * @param {DetectorRules} rules
 */
function overlap(a, b, rules) {
  return overlapPercent([a[1], a[2], a[3], a[4]], [b[1], b[2], b[3], b[4]]) >= rules.overlap_percent;
}

/**
 * a / b to the nearest integer, halves up.
 * @param {number} a
 * @param {number} b above 0
 */
function divide(a, b) {
  return Math.floor((2 * a + b) / (2 * b));
}
