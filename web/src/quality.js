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
 * @param {Uint8Array} cropPixels of `crop_percent` of the face, RGB bytes [S, S, 3], S a multiple of `blur_block`
 * @param {QualityRules} rules
 * @param {number} subpixel steps per pixel in the face's coordinates
 * @returns {Code[]}
 */
export function reasons(face, faces, width, height, cropPixels, rules, subpixel) {
  const { light, detail } = measures(cropPixels, rules.blur_block);
  const area = cropPixels.length / 3;
  const inner = (Math.sqrt(area) / rules.blur_block - 2) ** 2;
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
    blurred: detail < rules.blur * inner * rules.blur_block ** 4,
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
 * Light and detail of the pixels of a crop.
 *
 * Light: sum of the luma (0..255, BT.601 weights in 1/256) of all pixels. Detail: sum of the squared 4-neighbour
 * Laplacian of the luma summed over squares of `block` × `block` pixels. Squares, because enlarging a small face and
 * the camera's noise change single pixels more than a blur that hides the traces of a screen.
 * @param {Uint8Array} cropPixels RGB bytes [S, S, 3]
 * @param {number} block px, divides S
 * @returns {{light: number, detail: number}}
 */
export function measures(cropPixels, block) {
  const length = Math.sqrt(cropPixels.length / 3);
  const count = length / block;
  const sums = new Int32Array(count * count);
  let light = 0;
  for (let y = 0, at = 0; y < length; y++) {
    const row = Math.floor(y / block) * count;
    for (let x = 0; x < length; x++, at += 3) {
      const luma = (77 * cropPixels[at] + 150 * cropPixels[at + 1] + 29 * cropPixels[at + 2]) >> 8;
      sums[row + Math.floor(x / block)] += luma;
      light += luma;
    }
  }
  let detail = 0;
  for (let y = 1; y < count - 1; y++) {
    for (let i = y * count + 1; i < (y + 1) * count - 1; i++) {
      const edge = 4 * sums[i] - sums[i - count] - sums[i + count] - sums[i - 1] - sums[i + 1];
      detail += edge * edge;
    }
  }
  return { light, detail };
}
