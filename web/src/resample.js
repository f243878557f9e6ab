// @ts-check
/**
 * Pixels → the exact bytes that the networks see. Twin: spoofweb/resample.py, which calls Pillow.
 *
 * A port of the arithmetic of Pillow's 8-bit BILINEAR resize: a triangle filter as wide as the shrinking factor, its
 * weights computed in double and rounded to 22-bit fixed point, one pass along each axis with bytes in between.
 */

/** @typedef {Uint8ClampedArray | Uint8Array} Bytes */

/**
 * @typedef {object} Frame
 * @property {Bytes} data RGBA bytes, row by row; alpha is ignored
 * @property {number} width px
 * @property {number} height px
 */

/** @typedef {readonly [left: number, top: number, right: number, bottom: number]} Box whole pixels */

/**
 * Pixels of which the first three of every `step` bytes count, row by row.
 * @typedef {{data: Bytes, step: number, width: number}} Pixels
 */

/**
 * The weighted inputs of each output position along one axis.
 * @typedef {object} Axis
 * @property {Int32Array} first position of the first input
 * @property {Int32Array} count how many inputs follow each other
 * @property {Int32Array} weights `reach` of them for each output, 22-bit fixed point
 * @property {number} reach
 */

const PRECISION_BITS = 22;
const ONE = 2 ** PRECISION_BITS;
const HALF = ONE / 2;

/**
 * Bytes between the two passes; kept, because a new array for each frame would be most of the garbage. Clamped like a
 * canvas's bytes: the loops then read one kind of array only, which is a sixth faster.
 */
let scratch = new Uint8ClampedArray(0);

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
  /** @type {Pixels} */
  const source = { data: frame.data, step: 4, width: frame.width };
  // a pass that keeps the size has all its weight on one pixel: leaving it out changes no byte
  const columns = right - left === width ? null : axis(frame.width, left, right, width);
  const rows = bottom - top === height ? null : axis(frame.height, top, bottom, height);
  if (!columns && !rows) {
    copy(source, left, top, width, height, out);
  } else if (!rows) {
    horizontal(source, /** @type {Axis} */ (columns), top, height, out);
  } else if (!columns) {
    vertical(source, rows, left, width, out);
  } else if (verticalFirst(frame, width, height)) {
    const [from, to] = reached(columns);
    const between = vertical(source, rows, from, to - from, room((to - from) * height * 3));
    shift(columns, from);
    horizontal({ data: between, step: 3, width: to - from }, columns, 0, height, out);
  } else {
    const [from, to] = reached(rows);
    const between = horizontal(source, columns, from, to - from, room(width * (to - from) * 3));
    shift(rows, from);
    vertical({ data: between, step: 3, width }, rows, 0, width, out);
  }
  return out;
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
  const reach = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(outputs);
  const count = new Int32Array(outputs);
  const weights = new Int32Array(outputs * reach);
  const exact = new Float64Array(reach);
  for (let i = 0; i < outputs; i++) {
    const centre = start + (i + 0.5) * scale;
    const from = Math.max(0, Math.trunc(centre - support + 0.5));
    const to = Math.min(size, Math.trunc(centre + support + 0.5));
    let sum = 0;
    for (let j = 0; j < to - from; j++) {
      // the order of these operations decides the last bit: keep it
      const distance = Math.abs((j + from - centre + 0.5) * narrow);
      exact[j] = distance < 1 ? 1 - distance : 0;
      sum += exact[j];
    }
    for (let j = 0; j < to - from; j++) {
      const share = sum === 0 ? exact[j] : exact[j] / sum;
      weights[i * reach + j] = Math.trunc(0.5 + share * ONE);
    }
    first[i] = from;
    count[i] = to - from;
  }
  return { first, count, weights, reach };
}

/**
 * First input position of an axis, and the one after its last.
 * @param {Axis} axis
 * @returns {[from: number, to: number]}
 */
function reached({ first, count }) {
  const last = first.length - 1;
  return [first[0], first[last] + count[last]];
}

/**
 * @param {Axis} axis
 * @param {number} by
 */
function shift({ first }, by) {
  for (let i = 0; i < first.length; i++) first[i] -= by;
}

/** @param {number} bytes */
function room(bytes) {
  if (scratch.length < bytes) scratch = new Uint8ClampedArray(bytes);
  return scratch;
}

/** @param {number} sum weighted, with half a step added */
function clip8(sum) {
  const value = sum >> PRECISION_BITS;
  return value > 255 ? 255 : value;
}

/**
 * @param {Pixels} from
 * @param {Axis} columns
 * @param {number} top first row read
 * @param {number} height rows read and written
 * @param {Bytes} out
 */
function horizontal(from, columns, top, height, out) {
  const { data, step, width } = from;
  const { first, count, weights, reach } = columns;
  const outputs = first.length;
  let to = 0;
  for (let y = 0; y < height; y++) {
    const row = (top + y) * width;
    for (let x = 0; x < outputs; x++) {
      let at = (row + first[x]) * step;
      let red = HALF;
      let green = HALF;
      let blue = HALF;
      const end = x * reach + count[x];
      for (let i = x * reach; i < end; i++, at += step) {
        const weight = weights[i];
        red = (red + Math.imul(data[at], weight)) | 0;
        green = (green + Math.imul(data[at + 1], weight)) | 0;
        blue = (blue + Math.imul(data[at + 2], weight)) | 0;
      }
      out[to++] = clip8(red);
      out[to++] = clip8(green);
      out[to++] = clip8(blue);
    }
  }
  return out;
}

/**
 * @param {Pixels} from
 * @param {Axis} rows
 * @param {number} left first column read
 * @param {number} width columns read and written
 * @param {Bytes} out
 */
function vertical(from, rows, left, width, out) {
  const { data, step } = from;
  const stride = from.width * step;
  const { first, count, weights, reach } = rows;
  let to = 0;
  for (let y = 0; y < first.length; y++) {
    const begin = y * reach;
    const end = begin + count[y];
    let column = first[y] * stride + left * step;
    for (let x = 0; x < width; x++, column += step) {
      let at = column;
      let red = HALF;
      let green = HALF;
      let blue = HALF;
      for (let i = begin; i < end; i++, at += stride) {
        const weight = weights[i];
        red = (red + Math.imul(data[at], weight)) | 0;
        green = (green + Math.imul(data[at + 1], weight)) | 0;
        blue = (blue + Math.imul(data[at + 2], weight)) | 0;
      }
      out[to++] = clip8(red);
      out[to++] = clip8(green);
      out[to++] = clip8(blue);
    }
  }
  return out;
}

/**
 * @param {Pixels} from
 * @param {number} left
 * @param {number} top
 * @param {number} width
 * @param {number} height
 * @param {Uint8Array} out
 */
function copy(from, left, top, width, height, out) {
  const { data, step } = from;
  let to = 0;
  for (let y = top; y < top + height; y++) {
    let at = (y * from.width + left) * step;
    for (let x = 0; x < width; x++, at += step) {
      out[to++] = data[at];
      out[to++] = data[at + 1];
      out[to++] = data[at + 2];
    }
  }
}
