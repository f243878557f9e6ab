// @ts-check
/**
 * Is a face fit to be judged? Reasons against it, as codes. Twin: spoofweb/quality.py.
 *
 * A gate looks at the size and place of the face, at its keypoints, or at the pixels of a crop of it; integers only.
 */

/** @typedef {import("./contract.js").QualityRules} QualityRules */
/** @typedef {import("./face.js").Face} Face */
/**
 * @typedef {"too-small" | "too-large" | "out-of-frame" | "off-centre" | "turned-away" | "too-dark" | "too-bright"
 *   | "blurred" | "many-faces"} Code
 */

/** Worst first: mending an earlier one often mends those after it. @type {readonly Code[]} */
export const CODES = Object.freeze([
  "too-small",
  "too-large",
  "out-of-frame",
  "off-centre",
  "turned-away",
  "too-dark",
  "too-bright",
  "blurred",
  "many-faces",
]);

/**
 * Codes of all gates that refuse `face`, worst first; [] where it may be judged.
 * @param {Face} face
 * @param {Face[]} faces all of the frame, `face` among them
 * @param {number} width of the frame, px
 * @param {number} height of the frame, px
 * @param {Uint8Array} cropPixels of `crop_percent` of the face, as `measures` takes them
 * @param {QualityRules} rules
 * @param {number} subpixel steps per pixel in the face's coordinates
 * @returns {Code[]}
 */
export function reasons(face, faces, width, height, cropPixels, rules, subpixel) {
  const { light, fine, coarse } = measures(cropPixels, rules.blur_block);
  const area = cropPixels.length / 3;
  const across = width * subpixel;
  const down = height * subpixel;
  const size = side(face);
  const outside = Math.max(-face.x0, -face.y0, face.x1 - across, face.y1 - down);
  const aside = Math.abs(face.x0 + face.x1 - across); // twice the distance
  const above = Math.abs(face.y0 + face.y1 - down);
  /** @type {Record<Code, boolean>} */
  const refused = {
    "too-small": size < rules.small_px * subpixel,
    "too-large": 100 * size > rules.large_percent * Math.min(across, down),
    "out-of-frame": 100 * outside > rules.outside_percent * size,
    "off-centre": 50 * aside > rules.aside_percent * across || 50 * above > rules.aside_percent * down,
    "turned-away": turned(face.keypoints, rules.turned_percent),
    "too-dark": light < rules.dark * area,
    "too-bright": light > rules.bright * area,
    blurred: fine < rules.blur * (2 * rules.blur_block) ** 4 || 100 * fine < rules.blur_percent * coarse,
    "many-faces": faces.filter((other) => 100 * side(other) >= rules.many_percent * size).length > 1,
  };
  return CODES.filter((code) => refused[code]);
}

/**
 * The longer side of a face's box, in subpixel steps.
 * @param {Face} face
 * @returns {number}
 */
function side(face) {
  return Math.max(face.x1 - face.x0, face.y1 - face.y0);
}

/**
 * Whether the nose stands `percent` of the eyes' distance or more beside their middle, along the line of the eyes.
 *
 * Measured along that line, so that a head tilted to a shoulder is not turned away. Eyes in one point are.
 * @param {number[]} keypoints
 * @param {number} percent
 * @returns {boolean}
 */
export function turned(keypoints, percent) {
  const [rightX, rightY, leftX, leftY, noseX, noseY] = keypoints;
  const x = leftX - rightX;
  const y = leftY - rightY;
  const twice = (2 * noseX - rightX - leftX) * x + (2 * noseY - rightY - leftY) * y;
  return 50 * Math.abs(twice) >= percent * (x * x + y * y);
}

/**
 * Light, fine detail and coarse detail of the pixels of a crop.
 *
 * Light: sum of the luma (0..255, BT.601 weights in 1/256) of all pixels. Detail: `energy` of the luma summed over
 * squares of `block` px, times 16 to stand on one scale with the other, and over squares twice as wide. A blur
 * takes more from the fine than from the coarse, while contrast scales both and added light changes neither: a
 * picture is held against a coarser one of itself, much as in Crete et al. 2007, "The Blur Effect". Squares,
 * because enlarging a small face and the camera's noise change single pixels more than a blur that hides the traces
 * of a screen; noise adds to the fine all the same, so a dim, noisy picture may only be told by how little detail
 * there is at all.
 * @param {Uint8Array} cropPixels RGB bytes [S, S, 3]; S a multiple of 2 × `block`, from 6 × on
 * @param {number} block px
 * @returns {{light: number, fine: number, coarse: number}}
 */
export function measures(cropPixels, block) {
  const length = Math.sqrt(cropPixels.length / 3);
  const luma = new Int32Array(length * length);
  let light = 0;
  for (let i = 0, at = 0; i < luma.length; i++, at += 3) {
    luma[i] = (77 * cropPixels[at] + 150 * cropPixels[at + 1] + 29 * cropPixels[at + 2]) >> 8;
    light += luma[i];
  }
  const sums = summed(luma, length, block);
  const count = length / block;
  return { light, fine: 16 * energy(sums, count), coarse: energy(summed(sums, count, 2), count / 2) };
}

/**
 * The sums of squares of `block` × `block`.
 * @param {Int32Array} values [length, length], their sums within 32 bits
 * @param {number} length
 * @param {number} block divides `length`
 * @returns {Int32Array} [length / block, length / block]
 */
function summed(values, length, block) {
  const count = length / block;
  const sums = new Int32Array(count * count);
  for (let y = 0, at = 0; y < length; y++) {
    const row = Math.floor(y / block) * count;
    for (let x = 0; x < length; x++, at++) sums[row + Math.floor(x / block)] += values[at];
  }
  return sums;
}

/**
 * The mean squared 4-neighbour Laplacian, rounded down; the rim has none.
 * @param {Int32Array} values [count, count]
 * @param {number} count 3 or more
 * @returns {number}
 */
function energy(values, count) {
  let sum = 0;
  for (let y = 1; y < count - 1; y++) {
    for (let i = y * count + 1; i < (y + 1) * count - 1; i++) {
      const edge = 4 * values[i] - values[i - count] - values[i + count] - values[i - 1] - values[i + 1];
      sum += edge * edge;
    }
  }
  return Math.floor(sum / (count - 2) ** 2);
}
