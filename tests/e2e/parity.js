/** The browser's half of the parity tests. It is served beside the page's modules, as the Worker takes its modules. */

import { loadContract } from "./contract.js";
import { square } from "./crop.js";
import { Engine, EngineError, MOST_IN_FLIGHT, readPicture } from "./engine.js";
import { detectorInput, faces, letterbox, overlapPercent } from "./face.js";
import { Pipeline } from "./pipeline.js";
import { resample } from "./resample.js";
import * as verdict from "./verdict.js";

const CONTRACT = new URL("contract.json", import.meta.url).href;

/** Noise of an integer hash, RGBA; twin of `pattern` in make_vectors.py, alpha is anything. */
function pattern(seed, width, height) {
  const data = new Uint8ClampedArray(width * height * 4);
  for (let i = 0; i < width * height * 3; i++) {
    let n = (i + seed * 7919) >>> 0;
    n = Math.imul(n, 0x9e3779b1) >>> 0;
    n = (n ^ (n >>> 15)) >>> 0;
    n = Math.imul(n, 0x85ebca77) >>> 0;
    n = (n ^ (n >>> 13)) >>> 0;
    data[Math.floor(i / 3) * 4 + (i % 3)] = n >>> 24;
  }
  for (let i = 3; i < data.length; i += 4) data[i] = (i * 37) & 255;
  return { data, width, height };
}

async function hash(bytes, digits = 64) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("").slice(0, digits);
}

export async function resampled(rows) {
  const hashes = [];
  for (const [seed, frameWidth, frameHeight, left, top, right, bottom, width, height] of rows) {
    const frame = pattern(seed, frameWidth, frameHeight);
    hashes.push(await hash(resample(frame, [left, top, right, bottom], width, height), 16));
  }
  return hashes;
}

export async function cropped(rows) {
  const { subpixel } = (await loadContract(CONTRACT)).detector;
  return rows.map(([x0, y0, x1, y1, width, height, percent]) => {
    const { x, y, side } = square({ x0, y0, x1, y1, score: 0, keypoints: [] }, width, height, percent, subpixel);
    return [x, y, side];
  });
}

export async function letterboxed(rows) {
  const rules = (await loadContract(CONTRACT)).detector;
  return rows.map(([width, height]) => Object.values(letterbox(width, height, rules)));
}

export function overlapped(rows) {
  return rows.map((row) => overlapPercent(row.slice(0, 4), row.slice(4, 8)));
}

const listed = ({ x0, y0, x1, y1, score, keypoints }) => [x0, y0, x1, y1, score, keypoints];

export async function detected(cases) {
  const rules = (await loadContract(CONTRACT)).detector;
  return cases.map(({ size: [width, height], rows }) => {
    const detections = new Int32Array(896 * 17);
    rows.forEach((row, i) => detections.set(row, i * 17));
    return faces(detections, width, height, rules).map(listed);
  });
}

export function fixed({ rules, fixed }) {
  return fixed.map(([logit]) => verdict.fixed(logit, rules));
}

export function replayed({ rules, sequences }) {
  return sequences.map(({ frames }) => {
    let state = verdict.START;
    return frames.map(([timeMs, box, logit]) => {
      state = verdict.step(state, { timeMs, box, logit }, rules);
      return [state.word, state.mean, state.window.map(([when]) => when)];
    });
  });
}

/** What a rejected promise says, as a test can read it. */
async function outcome(promise) {
  try {
    return await promise;
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    return { reason: error.reason, detail: error.detail };
  }
}

let engine = null;

/** Load an engine; {reason, detail} where that fails. */
export async function load(contractUrl = CONTRACT) {
  const progress = [];
  const loaded = await outcome(Engine.load(contractUrl, { onProgress: (bytes) => progress.push(bytes) }));
  if (!(loaded instanceof Engine)) return loaded;
  engine = loaded;
  return { progress, contract: engine.contract };
}

/** The frame at a URL that gives RGB bytes, as RGBA. */
async function fetchFrame({ url, width, height }) {
  const rgb = new Uint8Array(await (await fetch(url)).arrayBuffer());
  const data = new Uint8ClampedArray(width * height * 4);
  for (let from = 0, to = 0; from < rgb.length; ) {
    data[to++] = rgb[from++];
    data[to++] = rgb[from++];
    data[to++] = rgb[from++];
    data[to++] = 255;
  }
  return new ImageData(data, width, height);
}

/** Judge raw frames, of a `stream` at `timeMs` or each by itself; also the hashes of the very bytes that enter the two networks. */
export async function observeFrames(frames) {
  const seen = [];
  const pipeline = new Pipeline(null, null, null, engine.contract);
  for (const entry of frames) {
    const frame = await fetchFrame(entry);
    const observation = await engine.observe(await createImageBitmap(frame), entry.timeMs ?? 0, entry.stream ?? 0);
    const input = await hash(detectorInput(frame, engine.contract.detector), 16);
    const crops = observation.face ? await hash(pipeline.cropPixels(frame, observation.crops), 16) : null;
    seen.push({ ...summary(observation), input, crops_hash: crops });
  }
  return seen;
}

/** Judge picture files. */
export async function observePictures(urls) {
  const seen = [];
  for (const url of urls) {
    const bitmap = await readPicture(await (await fetch(url)).blob());
    seen.push(summary(await engine.observe(bitmap, 0)));
  }
  return seen;
}

function summary(observation) {
  const { faces, face, crops, judged, lookedMs, logit, width, height } = observation;
  const rules = engine.contract.verdict;
  const steps = logit === null ? null : verdict.fixed(logit, rules);
  return {
    width,
    height,
    faces: faces.map(listed),
    face: face && listed(face),
    crops: crops.map(({ x, y, side }) => [x, y, side]),
    judged,
    lookedMs,
    live: logit === null ? null : 1 / (1 + Math.exp(-logit)),
    word: steps === null ? verdict.NONE : verdict.word(steps, rules),
  };
}

const blank = (side = 64) => createImageBitmap(new ImageData(side, side));

export async function observeBlank(timeMs = 0) {
  return outcome(engine.observe(await blank(), timeMs));
}

/** As many frames at once as the engine takes, and one too many; then one more. */
export async function observeMany() {
  const bitmaps = [];
  for (let i = 0; i <= MOST_IN_FLIGHT; i++) bitmaps.push(await blank());
  const all = await Promise.all(bitmaps.map((bitmap, i) => outcome(engine.observe(bitmap, i))));
  return { all, closed: bitmaps.map(({ width }) => width === 0), later: await observeBlank(9) };
}

/** A frame whose bitmap was closed before, then a good one. */
export async function observeClosed() {
  const bitmap = await blank();
  bitmap.close();
  return [await outcome(engine.observe(bitmap, 1)), await observeBlank(2)];
}

/** Close the engine while one frame is judged and another waits, then ask again. */
export async function closeInFlight() {
  const bitmaps = [await blank(), await blank()];
  const flying = bitmaps.map((bitmap, i) => outcome(engine.observe(bitmap, i)));
  engine.close();
  return [...(await Promise.all(flying)), await observeBlank(2)];
}
