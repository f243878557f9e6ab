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
 * @typedef {object} VerdictRules
 * @property {number} logit_one fixed-point steps per logit
 * @property {number} logit_max logits are clipped to ± this many steps
 * @property {number} window_frames the newest judged frames that count
 * @property {number} window_ms and how old they may be
 * @property {number} min_frames no word before this many
 * @property {number} trim_percent share of the window dropped at either end before the mean
 * @property {number} margin steps around the threshold in which the word is "unsure"
 * @property {number} hysteresis steps inside the margin before a given word is taken back
 * @property {number} lost_ms without a face for longer, the window is emptied
 * @property {number} same_face_percent boxes of two frames that overlap less are two faces
 * @property {number} threshold fixed-point logit at or above which a frame counts as bona fide
 */

/** @typedef {"ort" | "ort_loader" | "ort_wasm" | "detector" | "spoofnet"} FileKey */

/**
 * @typedef {object} Contract
 * @property {number} version
 * @property {{side: number}} input px, square RGB crop that SpoofNet judges
 * @property {{scales_percent: number[]}} crop crop side as a share of the face box side, one crop per entry
 * @property {DetectorRules} detector
 * @property {VerdictRules} verdict
 * @property {Record<string, string>} graphs name of each ONNX graph → SHA-256 (hex) of its bytes
 * @property {Record<string, any>} headline the evaluation card's headline error rates
 * @property {Record<FileKey, string>} files paths relative to contract.json
 * @property {Record<FileKey, number>} bytes size of each of them
 */

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
