// @ts-check
/** The evidence map as colours over the square that was judged: blue spoke for live, orange for attack. */

/**
 * @typedef {object} Heat
 * @property {Float32Array} values Evidence, row by row of a square grid; positive speaks for bona fide.
 * @property {import("./crop.js").Crop} crop The square of the frame that it covers.
 */

const LIVE = [0, 114, 255];
const ATTACK = [255, 122, 0];
const STRONGEST = 215; // of 255: the face stays visible below

/**
 * RGBA of each grid cell: the colour says which side, the opacity how much, relative to the strongest cell.
 * @param {Float32Array} values
 * @returns {Uint8ClampedArray<ArrayBuffer>}
 */
export function colours(values) {
  const most = values.reduce((max, value) => Math.max(max, Math.abs(value)), 0) || 1;
  const rgba = new Uint8ClampedArray(values.length * 4);
  values.forEach((value, i) => {
    const share = Math.abs(value) / most;
    rgba.set(value > 0 ? LIVE : ATTACK, 4 * i);
    rgba[4 * i + 3] = STRONGEST * share;
  });
  return rgba;
}

/**
 * @param {HTMLCanvasElement} canvas Takes on the frame's size.
 * @param {Heat} heat @param {number} width Of the frame, px. @param {number} height
 */
export function draw(canvas, { values, crop }, width, height) {
  const context = canvas.getContext("2d");
  const side = Math.sqrt(values.length);
  const grid = new OffscreenCanvas(side, side);
  grid.getContext("2d")?.putImageData(new ImageData(colours(values), side, side), 0, 0);
  Object.assign(canvas, { width, height }); // empties it, too
  context?.drawImage(grid, crop.x, crop.y, crop.side, crop.side);
}
