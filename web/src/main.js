// @ts-check
/** Ties engine, camera and pictures to what is shown. */

import { allowed, Camera } from "./camera.js";
import { Engine, EngineError, readPicture } from "./engine.js";
import { eachFrame } from "./frames.js";
import { Latency } from "./latency.js";
import { screen } from "./screen.js";
import * as verdict from "./verdict.js";
import { View } from "./view.js";

const CONTRACT = new URL("contract.json", import.meta.url).href;
const LATENCY_FRAMES = 60;
const LATENCY_EVERY = 15; // frames between two updates of the latency, so that it can be read

const FRAMES_LOST = 10; // unreadable frames in a row that are no accident any more

/** @typedef {import("./engine.js").Observation} Observation */
/** @typedef {import("./contract.js").VerdictRules} VerdictRules */

const view = new View((act) => ACTS[act](), (deviceId) => camera.start({ deviceId }));
const camera = new Camera(cameraChanged);
const file = /** @type {HTMLInputElement} */ (document.getElementById("file"));

/** @type {import("./screen.js").State} */
let state = {
  engine: { name: "loading", loaded: 0, total: 0, reason: "", detail: "" },
  camera: camera.state,
  picture: null,
  judged: null,
  frames: 0,
  latency: null,
  unsure: null,
};
let loop = new AbortController();
let pictureTurn = 0;
/** @type {Promise<unknown>} The last judgement asked for. */
let lastJudgement = Promise.resolve();
/** @type {Promise<Engine | null>} null once loading has failed, which is then a state. */
let engine = loadEngine();

/** @type {Record<string, () => void>} */
const ACTS = {
  start: startCamera,
  stop: () => camera.stop(),
  turn: () => camera.start(camera.otherSide()),
  choose: () => file.click(),
  restart: () => (engine = loadEngine()),
  reload: () => location.reload(),
};

/** @param {Partial<import("./screen.js").State>} change */
function update(change) {
  state = { ...state, ...change };
  view.show(screen(state), state.frames);
}

/** @returns {Promise<Engine | null>} */
async function loadEngine() {
  update({ engine: { name: "loading", loaded: 0, total: 0, reason: "", detail: "" } });
  /** @param {{loaded: number, total: number}} progress */
  const onProgress = ({ loaded, total }) => update({ engine: { ...state.engine, loaded, total } });
  try {
    const loaded = await Engine.load(CONTRACT, { onProgress });
    const rules = loaded.contract.verdict;
    /** @param {number} logit */
    const probability = (logit) => verdict.probability(logit, rules);
    const unsure = /** @type {[number, number]} */ (
      [rules.threshold - rules.margin, rules.threshold + rules.margin].map(probability)
    );
    update({ engine: { ...state.engine, name: "ready" }, unsure });
    return loaded;
  } catch (error) {
    failed(error);
    return null;
  }
}

/** The engine is of no more use. @param {unknown} error */
function failed(error) {
  const { reason, detail } = error instanceof EngineError ? error : new EngineError("worker", String(error));
  engine.then((broken) => broken?.close());
  engine = Promise.resolve(null);
  leavePicture();
  update({ engine: { ...state.engine, name: "failed", reason, detail } });
  camera.stop();
}

/** Judges one after the other, as the engine takes no second frame while it is busy.
 * @param {Engine} engine @param {ImageBitmap} bitmap @param {number} timeMs @returns {Promise<Observation>}
 */
function observe(engine, bitmap, timeMs) {
  const judgement = lastJudgement.then(() => engine.observe(bitmap, timeMs));
  lastJudgement = judgement.catch(() => null);
  return judgement;
}

/** An observation as the verdict takes it. @param {Observation} seen @param {VerdictRules} rules @returns {verdict.Judged} */
function asJudged({ timeMs, face, logit }, rules) {
  if (!face || logit === null) return { timeMs, box: null, logit: null };
  return { timeMs, box: [face.x0, face.y0, face.x1, face.y1], logit: verdict.fixed(logit, rules) };
}

/** An observation and the verdict on it as the screen takes them.
 * @param {Observation} seen @param {verdict.Word} word @param {number | null} logit In fixed point.
 * @param {import("./contract.js").Contract} contract @returns {import("./screen.js").Judged}
 */
function asShown({ faces, face, width, height }, word, logit, { verdict: rules, detector: { subpixel } }) {
  const live = logit === null ? null : verdict.probability(logit, rules);
  // the message from the worker keeps `face` the same object as in `faces`
  const judged = face ? faces.indexOf(face) : -1;
  const boxes = faces.map(({ x0, y0, x1, y1 }) => ({
    x0: x0 / subpixel, y0: y0 / subpixel, x1: x1 / subpixel, y1: y1 / subpixel,
  }));
  return { word, live, boxes, judged, width, height };
}

// ---------------------------------------------------------------- camera

function startCamera() {
  leavePicture();
  camera.start();
}

/** @param {import("./camera.js").CameraState} now */
function cameraChanged(now) {
  const fresh = now.stream !== state.camera.stream;
  if (fresh) loop.abort();
  update(fresh ? { camera: now, judged: null, latency: null, frames: 0 } : { camera: now });
  if (now.stream && document.hidden) camera.pause();
  else if (fresh) watch(now.stream);
}

/** @param {MediaStream | null} stream */
async function watch(stream) {
  view.video.srcObject = stream;
  if (!stream) return;
  loop = new AbortController();
  const { signal } = loop;
  view.video.play().catch(() => {}); // overtaken by the next stream
  const judge = await engine;
  if (!judge) return;
  const rules = judge.contract.verdict;
  const latency = new Latency(LATENCY_FRAMES);
  let said = verdict.START;
  let lost = 0;
  await eachFrame(view.video, signal, async (timeMs) => {
    const began = performance.now();
    const bitmap = await createImageBitmap(view.video).catch(() => null); // the video has just been emptied
    if (!bitmap || signal.aborted) return bitmap?.close();
    try {
      const seen = await observe(judge, bitmap, Math.round(timeMs));
      if (signal.aborted) return;
      lost = 0;
      latency.add(performance.now() - began);
      said = verdict.step(said, asJudged(seen, rules), rules);
      const frames = state.frames + 1;
      const due = frames % LATENCY_EVERY === 0;
      update({
        judged: asShown(seen, said.word, said.mean, judge.contract),
        frames,
        ...(due && { latency: { ms: latency.median ?? 0, count: latency.count } }),
      });
    } catch (error) {
      const accident = error instanceof EngineError && error.reason === "frame" && ++lost < FRAMES_LOST;
      if (!signal.aborted && !accident) failed(error);
    }
  });
}

document.addEventListener("visibilitychange", async () => {
  if (document.hidden) camera.pause();
  else if (camera.state.name === "paused" && (await allowed()) && camera.state.name === "paused") camera.start();
});

// ---------------------------------------------------------------- pictures

/** @param {File} chosen */
async function judgePicture(chosen) {
  leavePicture();
  const turn = pictureTurn;
  camera.stop();
  if (state.engine.name === "failed") return;
  const file = chosen.name;
  update({ picture: { name: "reading", file }, judged: null, latency: null });
  const bitmap = await readPicture(chosen).catch(() => null);
  if (turn !== pictureTurn) return bitmap?.close();
  if (!bitmap) return update({ picture: { name: "unreadable", file } });
  view.picture.src = URL.createObjectURL(chosen);
  update({ picture: { name: "picture", file } });
  const judge = await engine;
  if (!judge || turn !== pictureTurn) return bitmap.close();
  try {
    const seen = await observe(judge, bitmap, 0);
    if (turn !== pictureTurn) return;
    const rules = judge.contract.verdict;
    const { logit } = asJudged(seen, rules);
    const word = logit === null ? verdict.NONE : verdict.word(logit, rules);
    update({ judged: asShown(seen, word, logit, judge.contract) });
  } catch (error) {
    if (turn !== pictureTurn) return;
    if (error instanceof EngineError && error.reason === "frame") update({ picture: { name: "unjudged", file } });
    else failed(error);
  }
}

function leavePicture() {
  pictureTurn++;
  if (!state.picture) return;
  URL.revokeObjectURL(view.picture.src);
  view.picture.removeAttribute("src");
  update({ picture: null, judged: null });
}

file.addEventListener("change", () => {
  const [chosen] = file.files ?? [];
  if (chosen) judgePicture(chosen);
  file.value = ""; // so that the same file can be chosen again
});

/** @param {DragEvent} event */
const carriesFile = (event) => event.dataTransfer?.types.includes("Files") ?? false;
const dropping = (/** @type {boolean} */ is) => document.documentElement.classList.toggle("dropping", is);
addEventListener("dragover", (event) => {
  if (!carriesFile(event)) return;
  event.preventDefault();
  dropping(true);
});
addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) dropping(false);
});
addEventListener("drop", (event) => {
  if (!carriesFile(event)) return;
  event.preventDefault();
  dropping(false);
  const [dropped] = event.dataTransfer?.files ?? [];
  if (dropped) judgePicture(dropped);
});
