// @ts-check
/**
 * Pixels → the exact bytes that the networks see. Twin: spoofweb/resample.py, which calls Pillow.
 *
 * A port of the arithmetic of Pillow's 8-bit BILINEAR resize: a triangle filter as wide as the shrinking factor, its
 * weights computed in double and rounded to 22-bit fixed point, one pass along each axis with bytes in between. The
 * passes run in WebAssembly (kernel.wat), two to three times as fast as the same loops here; ONNX Runtime needs its SIMD anyway.
 */

import { KERNEL } from "./kernel.js";

/** @typedef {Uint8ClampedArray | Uint8Array} Bytes */

/**
 * @typedef {object} Frame
 * @property {Bytes} data RGBA bytes, row by row; alpha is ignored
 * @property {number} width px
 * @property {number} height px
 */

/** @typedef {readonly [left: number, top: number, right: number, bottom: number]} Box whole pixels */

/**
 * The weighted inputs of each output position along one axis.
 * @typedef {object} Axis
 * @property {number} from first input position that any output reads
 * @property {number} to the one after the last
 * @property {Int32Array} table a row per output: first input, counted from `from`, how many follow, their weights
 * @property {number} rowBytes of the table
 */

/**
 * A part of the kernel's memory as pixels of four bytes.
 * @typedef {{at: number, stride: number}} Pixels addresses and bytes
 */

/** @typedef {(...values: number[]) => void} Pass the parameters stand in kernel.wat */

const PIXEL = 4; // bytes, inside of the kernel
const PAGE = 2 ** 16; // bytes in which WebAssembly's memory grows
const KEPT = 2 ** 25; // bytes of memory that are kept for the next frame
const ONE = 2 ** 22;

/** @type {WebAssembly.Module | null} */
let compiled = null;
/** @type {{memory: WebAssembly.Memory, pass: Pass} | null} */
let kernel = null;

/**
 * Shrink or enlarge a part of a frame, byte for byte as Pillow's `resize(size, BILINEAR, box)`.
 * @param {Frame} frame
 * @param {Box} box part of the frame, inside it and not empty; the filter reads pixels beyond it where the frame has any
 * @param {number} width of the result, px
 * @param {number} height of the result, px
 * @param {Uint8Array} [out] where to write it
 * @returns {Uint8Array} `out`: RGB bytes [height, width, 3]
 */
export function resample(frame, box, width, height, out = new Uint8Array(width * height * 3)) {
  const [left, top, right, bottom] = box;
  // a pass that keeps the size has all its weight on one pixel: leaving it out changes no byte
  if (right - left === width && bottom - top === height) {
    copy(frame, left, top, width, height, out);
    return out;
  }
  const columns = axis(frame.width, left, right, width);
  const rows = axis(frame.height, top, bottom, height);
  const pixels = frame.data.subarray(rows.from * frame.width * PIXEL, rows.to * frame.width * PIXEL);
  const across = columns.to - columns.from;
  const down = rows.to - rows.from;

  const between = pixels.length;
  const columnTable = between + Math.max(across * height, width * down) * PIXEL;
  const rowTable = columnTable + columns.table.byteLength;
  const result = rowTable + rows.table.byteLength;
  const { memory, pass } = ready(result + out.length + 1);
  new Uint8Array(memory.buffer).set(pixels);
  new Int32Array(memory.buffer).set(columns.table, columnTable / 4);
  new Int32Array(memory.buffer).set(rows.table, rowTable / 4);

  /** @param {Pixels} from @param {number} to @param {number} step @param {number} height */
  const horizontal = ({ at, stride }, to, step, height) =>
    pass(at, stride, 0, PIXEL, columnTable, 0, columns.rowBytes, to, step, height, width);
  /** @param {Pixels} from @param {number} to @param {number} step @param {number} width */
  const vertical = ({ at, stride }, to, step, width) =>
    pass(at, 0, PIXEL, stride, rowTable, rows.rowBytes, 0, to, step, height, width);

  const source = { at: columns.from * PIXEL, stride: frame.width * PIXEL };
  if (bottom - top === height) {
    horizontal({ ...source, at: source.at + (top - rows.from) * source.stride }, result, 3, height);
  } else if (right - left === width) {
    vertical({ ...source, at: source.at + (left - columns.from) * PIXEL }, result, 3, width);
  } else if (verticalFirst(frame, width, height)) {
    vertical(source, between, PIXEL, across);
    horizontal({ at: between, stride: across * PIXEL }, result, 3, height);
  } else {
    horizontal(source, between, PIXEL, down);
    vertical({ at: between, stride: width * PIXEL }, result, 3, width);
  }
  out.set(new Uint8Array(memory.buffer, result, out.length));
  if (memory.buffer.byteLength > KEPT) kernel = null;
  return out;
}

/**
 * The kernel with at least so many bytes of memory.
 * @param {number} bytes
 */
function ready(bytes) {
  compiled ??= new WebAssembly.Module(Uint8Array.from(atob(KERNEL), (letter) => letter.charCodeAt(0)));
  kernel ??= /** @type {{memory: WebAssembly.Memory, pass: Pass}} */ (
    /** @type {unknown} */ (new WebAssembly.Instance(compiled).exports)
  );
  const missing = bytes - kernel.memory.buffer.byteLength;
  if (missing > 0) kernel.memory.grow(Math.ceil(missing / PAGE));
  return kernel;
}

/**
 * Pillow's order of passes (since version 13), from the whole frame's size: the bytes in between depend on it.
 * @param {Frame} frame
 * @param {number} width
 * @param {number} height
 */
function verticalFirst(frame, width, height) {
  const shorter = frame.height - height;
  return shorter > 0 && shorter > 2 * (frame.width - width);
}

/**
 * @param {number} size of the frame along this axis
 * @param {number} start of the box
 * @param {number} end of the box
 * @param {number} outputs
 * @returns {Axis}
 */
function axis(size, start, end, outputs) {
  const scale = (end - start) / outputs;
  const support = Math.max(scale, 1);
  const narrow = 1 / support;
  const row = Math.ceil(support) * 2 + 3;
  const table = new Int32Array(outputs * row);
  const exact = new Float64Array(row);
  const [from] = reach(size, start + 0.5 * scale, support);
  let to = from;
  for (let i = 0, at = 0; i < outputs; i++, at += row) {
    const centre = start + (i + 0.5) * scale;
    const [first, last] = reach(size, centre, support);
    const count = last - first;
    let sum = 0;
    for (let j = 0; j < count; j++) {
      // the order of these operations decides the last bit: keep it
      const distance = Math.abs((j + first - centre + 0.5) * narrow);
      exact[j] = distance < 1 ? 1 - distance : 0;
      sum += exact[j];
    }
    table[at] = first - from;
    table[at + 1] = count;
    for (let j = 0; j < count; j++) {
      const share = sum === 0 ? exact[j] : exact[j] / sum;
      table[at + 2 + j] = Math.trunc(0.5 + share * ONE);
    }
    to = last;
  }
  return { from, to, table, rowBytes: row * 4 };
}

/**
 * The inputs that the filter reads around a centre: the first, and the one after the last.
 * @param {number} size of the frame along this axis
 * @param {number} centre
 * @param {number} support half the filter's width
 * @returns {[from: number, to: number]}
 */
function reach(size, centre, support) {
  return [Math.max(0, Math.trunc(centre - support + 0.5)), Math.min(size, Math.trunc(centre + support + 0.5))];
}

/**
 * @param {Frame} frame
 * @param {number} left
 * @param {number} top
 * @param {number} width
 * @param {number} height
 * @param {Uint8Array} out
 */
function copy(frame, left, top, width, height, out) {
  const { data } = frame;
  let to = 0;
  for (let y = top; y < top + height; y++) {
    let at = (y * frame.width + left) * PIXEL;
    for (let x = 0; x < width; x++, at += PIXEL) {
      out[to++] = data[at];
      out[to++] = data[at + 1];
      out[to++] = data[at + 2];
    }
  }
}
