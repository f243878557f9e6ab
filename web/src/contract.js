// @ts-check
/**
 * The numbers that Python and JavaScript share, as contract.json carries them (spoofweb/contract.py writes it).
 */

/**
 * @typedef {object} DetectorRules
 * @property {number} side px, square letterboxed input of the face detector
 * @property {number} subpixel fixed-point steps per pixel in every box and keypoint
 * @property {number} score_one fixed-point score that means certainty
 * @property {number} score_min a detection below is no face
 * @property {number} overlap_percent detections that overlap at least so much are one face
 */

/**
 * @typedef {object} QualityRules a face outside of these bounds is not judged
 * @property {number} small_px px, the least side of a face's box
 * @property {number} large_percent the largest, as a share of the frame's shorter side
 * @property {number} outside_percent how far the box may reach out of the frame, as a share of its side
 * @property {number} aside_percent how far its centre may be from the frame's, as a share of the frame's width and height
 * @property {number} turned_percent nose beside the eyes' middle, as a share of their distance; from here on turned away
 * @property {number} crop_percent side of the crop that is measured for light and blur, as a share of the face box side
 * @property {number} dark the least mean luma of that crop, 0..255
 * @property {number} bright and the highest
 * @property {number} blur_block px, side of the squares whose mean luma is looked at for blur
 * @property {number} blur the least mean squared Laplacian of those means
 * @property {number} blur_percent and the least as a share of that of squares twice as wide
 * @property {number} many_percent side of a second face that counts, as a share of the judged one's
 */

/**
 * @typedef {object} VerdictRules
 * @property {number} logit_one fixed-point steps per logit
 * @property {number} logit_max logits are clipped to ± this many steps
 * @property {number} window_frames the newest judged frames that count
 * @property {number} window_ms and how old they may be
 * @property {number} min_frames no word before this many
 * @property {number} trim_percent share of the window dropped at either end before the mean
 * @property {number} margin steps beside the threshold, or more, in which the word is "unsure", see `bounds` of verdict.js
 * @property {number} hysteresis steps beyond its bound before a given word is taken back
 * @property {number} lost_ms without a face for longer, the window is emptied
 * @property {number} same_face_percent boxes of two frames that overlap less are two faces
 * @property {number} threshold fixed-point logit at or above which a frame counts as bona fide
 */

/**
 * @typedef {object} ErrorCurve
 * @property {number[]} threshold fixed-point logits, ascending
 * @property {number} chosen index of the threshold in force
 * @property {{apcer: number[], bpcer: number[]}} [val] shares 0..1 at each threshold, APCER over all attacks
 * @property {{apcer: number[], bpcer: number[]}} [test]
 */

/** @typedef {"ort" | "ort_loader" | "ort_wasm" | "detector" | "spoofnet"} FileKey */

/**
 * @typedef {object} Contract
 * @property {number} version
 * @property {{side: number}} input px, square RGB crop that SpoofNet judges
 * @property {{scales_percent: number[]}} crop crop side as a share of the face box side, one crop per entry
 * @property {DetectorRules} detector
 * @property {QualityRules} quality
 * @property {{look_ms: number}} stream a face that was found so long ago is looked for again; until then it is where it was
 * @property {VerdictRules} verdict
 * @property {Record<string, string>} graphs name of each ONNX graph → SHA-256 (hex) of its bytes
 * @property {Record<string, any>} headline the evaluation card's headline error rates
 * @property {Record<FileKey, string>} files paths relative to contract.json
 * @property {Record<FileKey, number>} bytes size of each of them
 * @property {Record<FileKey, string>} sha256 SHA-256 (hex) of each of them
 * @property {ErrorCurve | null} curve what other thresholds would cost; null where no evaluation is known
 */

/** Of the contract that these modules follow. */
export const VERSION = 4;

/**
 * Fetch contract.json.
 * @param {string | URL} url
 * @returns {Promise<Contract>} rejects with an Error that names the URL where it cannot be had or is not JSON
 */
export async function loadContract(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: HTTP status ${response.status}`);
  return response.json();
}
