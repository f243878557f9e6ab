// @ts-check
/**
 * Frame → observation: detect, crop, resample, judge. Twin: spoofweb/pipeline.py.
 */

import { square } from "./crop.js";
import { detectorInput, faces, largest } from "./face.js";
import { reasons } from "./quality.js";
import { resample } from "./resample.js";
import { looks, sameFace, turn } from "./turns.js";

/** @typedef {typeof import("onnxruntime-web")} Ort */
/** @typedef {import("onnxruntime-web").InferenceSession} InferenceSession */
/** @typedef {import("./contract.js").Contract} Contract */
/** @typedef {import("./crop.js").Crop} Crop */
/** @typedef {import("./face.js").Face} Face */
/** @typedef {import("./resample.js").Frame} Frame */

/**
 * What one frame shows. Without a face: `face` and `logit` are null, `crops` and `logits` are empty.
 * @typedef {object} Observation
 * @property {number} timeMs as given with the frame
 * @property {number} width of the frame, px
 * @property {number} height of the frame, px
 * @property {Face[]} faces all of them, best score first
 * @property {Face | null} face the one that is judged: the largest
 * @property {Crop[]} crops one square per contract scale
 * @property {number} lookedMs time of the frame in which the face was looked for
 * @property {number[]} judged indices of the crops that were judged in this frame; the others' logits are the frame's before
 * @property {number[]} logits calibrated, one per crop; above 0 leans towards bona fide
 * @property {number | null} logit their mean
 * @property {Float32Array | null} evidence a map of 28 × 28 per crop; positive speaks for bona fide
 * @property {import("./quality.js").Code[]} reasons against judging the face, worst first; the logit stands all the same
 * @property {{detect: number, crop: number, network: number}} stages how long each took, ms
 */

/**
 * An ONNX Runtime session.
 * @param {Ort} ort
 * @param {Uint8Array} graph
 * @param {Record<string, string>} inputs name → type, e.g. {crops: "uint8"}
 * @param {string[]} outputs
 * @returns {Promise<InferenceSession>} rejects unless the graph has just these inputs and outputs
 */
async function session(ort, graph, inputs, outputs) {
  const made = await ort.InferenceSession.create(graph, { executionProviders: ["wasm"] });
  const found = JSON.stringify(made.inputMetadata.map((entry) => [entry.name, entry.isTensor ? entry.type : ""]));
  const names = JSON.stringify(made.outputNames);
  if (found !== JSON.stringify(Object.entries(inputs)) || names !== JSON.stringify(outputs)) {
    throw new Error(`the ONNX graph maps ${found} to ${names}, not ${JSON.stringify(inputs)} to ${outputs}`);
  }
  return made;
}

/** Both networks and the arithmetic between them. */
export class Pipeline {
  /**
   * @param {Ort} ort
   * @param {InferenceSession} detector
   * @param {InferenceSession} spoofnet
   * @param {Contract} contract
   */
  constructor(ort, detector, spoofnet, contract) {
    this.ort = ort;
    this.detector = detector;
    this.spoofnet = spoofnet;
    this.contract = contract;
  }

  /**
   * Load both graphs and run each once: the first run takes many times as long as those that follow.
   * @param {Ort} ort
   * @param {Uint8Array} detector
   * @param {Uint8Array} spoofnet
   * @param {Contract} contract
   * @returns {Promise<Pipeline>} rejects where a graph is broken or has other inputs and outputs
   */
  static async create(ort, detector, spoofnet, contract) {
    const made = new Pipeline(
      ort,
      await session(ort, detector, { image: "uint8" }, ["detections"]),
      await session(ort, spoofnet, { crops: "uint8" }, ["logit", "live", "evidence"]),
      contract,
    );
    const { side } = contract.input;
    const blank = { data: new Uint8Array(side * side * 4), width: side, height: side };
    await made.faces(blank);
    await made.judge(made.cropPixels(blank, contract.crop.scales_percent.map(() => ({ x: 0, y: 0, side }))));
    return made;
  }

  /**
   * All faces in a frame, best score first.
   * @param {Frame} frame
   * @returns {Promise<Face[]>}
   */
  async faces(frame) {
    const rules = this.contract.detector;
    const image = new this.ort.Tensor("uint8", detectorInput(frame, rules), [1, rules.side, rules.side, 3]);
    const { detections } = await this.detector.run({ image });
    return faces(/** @type {Int32Array} */ (detections.data), frame.width, frame.height, rules);
  }

  /**
   * Judge the largest face of a frame; of a stream's frames, by one crop in turn (turns.js).
   * @param {Frame} frame
   * @param {number} [timeMs] when it was taken
   * @param {Observation | null} [before] of the stream's frame before
   * @returns {Promise<Observation>}
   */
  async observe(frame, timeMs = 0, before = null) {
    const started = performance.now();
    const { width, height } = frame;
    const taken = { timeMs, width, height };
    const { crop, stream, verdict } = this.contract;
    const next = turn(before, taken, crop.scales_percent.length, verdict);
    if (before && next !== null && !looks(before, timeMs, stream.look_ms)) {
      return this.observeAgain(frame, taken, next, before);
    }
    const found = await this.faces(frame);
    const face = largest(found);
    const detected = performance.now();
    const stages = { detect: detected - started, crop: 0, network: 0 };
    const seen = { ...taken, lookedMs: timeMs, faces: found, face };
    if (!face) {
      return { ...seen, crops: [], judged: [], logits: [], logit: null, evidence: null, reasons: [], stages };
    }
    const crops = this.faceCrops(face, frame);
    const against = this.against(face, found, frame);
    const held = before?.face && next !== null && sameFace(before.face, face, verdict) ? before : null;
    const index = next ?? 0;
    const judged = held ? [index] : crops.map((_, i) => i);
    const pixels = this.cropPixels(frame, judged.map((i) => crops[i]));
    const cropped = performance.now();
    const said = await this.judge(pixels);
    stages.crop = cropped - detected;
    stages.network = performance.now() - cropped;
    return { ...seen, crops, judged, ...(held ? mixed(held, index, said) : whole(said)), reasons: against, stages };
  }

  /**
   * Judge one crop of a face where the frame before showed it.
   * @param {Frame} frame
   * @param {{timeMs: number, width: number, height: number}} taken
   * @param {number} index of the crop
   * @param {Observation} before
   * @returns {Promise<Observation>}
   */
  async observeAgain(frame, taken, index, before) {
    const started = performance.now();
    const pixels = this.cropPixels(frame, [before.crops[index]]);
    const cropped = performance.now();
    const said = mixed(before, index, await this.judge(pixels));
    const stages = { detect: 0, crop: cropped - started, network: performance.now() - cropped };
    return { ...before, ...taken, ...said, judged: [index], stages };
  }

  /**
   * The squares of a frame that are judged for a face, one per contract scale.
   * @param {Face} face
   * @param {Frame} frame
   * @returns {Crop[]}
   */
  faceCrops(face, frame) {
    const { crop, detector } = this.contract;
    return crop.scales_percent.map((percent) => square(face, frame.width, frame.height, percent, detector.subpixel));
  }

  /**
   * Reasons against judging a face.
   * @param {Face} face
   * @param {Face[]} found all faces of the frame
   * @param {Frame} frame
   */
  against(face, found, frame) {
    const { quality, detector } = this.contract;
    const { width, height } = frame;
    const close = square(face, width, height, quality.crop_percent, detector.subpixel);
    return reasons(face, found, width, height, this.cropPixels(frame, [close]), quality, detector.subpixel);
  }

  /**
   * SpoofNet's input for some squares of a frame.
   * @param {Frame} frame
   * @param {Crop[]} crops
   * @returns {Uint8Array} RGB bytes [crops.length, side, side, 3]
   */
  cropPixels(frame, crops) {
    const { side } = this.contract.input;
    const size = side * side * 3;
    const pixels = new Uint8Array(crops.length * size);
    crops.forEach((crop, i) => {
      const out = pixels.subarray(i * size, (i + 1) * size);
      resample(frame, [crop.x, crop.y, crop.x + crop.side, crop.y + crop.side], side, side, out);
    });
    return pixels;
  }

  /**
   * @param {Uint8Array} pixels as cropPixels makes them
   * @returns {Promise<Said>}
   */
  async judge(pixels) {
    const { side } = this.contract.input;
    const crops = new this.ort.Tensor("uint8", pixels, [pixels.length / (side * side * 3), side, side, 3]);
    const { logit, evidence } = await this.spoofnet.run({ crops });
    return {
      logits: Array.from(/** @type {Float32Array} */ (logit.data)),
      evidence: /** @type {Float32Array} */ (evidence.data),
    };
  }
}

/** @typedef {{logits: number[], evidence: Float32Array}} Said one logit and one map per crop */

/**
 * What a frame says that was judged by all crops.
 * @param {Said} said
 */
function whole({ logits, evidence }) {
  return { logits, evidence, logit: logits.reduce((sum, value) => sum + value, 0) / logits.length };
}

/**
 * The same of a frame that was judged by one crop: the others' part comes from the frame before.
 * @param {Observation} before
 * @param {number} index of the crop
 * @param {Said} said of that crop alone
 */
function mixed(before, index, { logits: [logit], evidence: map }) {
  const evidence = Float32Array.from(before.evidence ?? []);
  evidence.set(map, index * map.length);
  return whole({ logits: before.logits.map((held, i) => (i === index ? logit : held)), evidence });
}
