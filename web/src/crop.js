// @ts-check
/** Face → a square of the frame around it, to be judged or measured. Twin: spoofweb/crop.py. */

/** @typedef {import("./face.js").Face} Face */

/**
 * A square inside a frame, in whole pixels.
 * @typedef {{x: number, y: number, side: number}} Crop
 */

/**
 * The square around a face, `percent` of its box's longer side, in a frame of width × height pixels.
 *
 * Shrunk to the frame's shorter side, then shifted into the frame: no pixel is invented.
 * @param {Face} face
 * @param {number} width
 * @param {number} height
 * @param {number} percent
 * @param {number} subpixel steps per pixel in the face's coordinates
 * @returns {Crop}
 */
export function square(face, width, height, percent, subpixel) {
  const steps = Math.max(face.x1 - face.x0, face.y1 - face.y0);
  const wanted = Math.floor((steps * percent + 50 * subpixel) / (100 * subpixel));
  const side = Math.max(1, Math.min(wanted, width, height));
  return {
    x: start(face.x0 + face.x1, side, width, subpixel),
    y: start(face.y0 + face.y1, side, height, subpixel),
    side,
  };
}

/**
 * First pixel of a run of `side` pixels centred at doubleCentre / 2 subpixel steps, moved into 0..limit.
 * @param {number} doubleCentre
 * @param {number} side
 * @param {number} limit
 * @param {number} subpixel
 */
function start(doubleCentre, side, limit, subpixel) {
  const first = Math.floor((doubleCentre - side * subpixel + subpixel) / (2 * subpixel));
  return Math.max(0, Math.min(first, limit - side));
}
