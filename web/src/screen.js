// @ts-check
/** What is the case → what is shown: a pure function, so that every state can be looked at without a camera. */

import { say } from "./strings.js";

/** @typedef {{x0: number, y0: number, x1: number, y1: number}} Box A face in the frame, px. */
/**
 * @typedef {object} Judged What is known about the newest frame or the picture.
 * @property {import("./verdict.js").Word} word
 * @property {number | null} live Probability (0..1) behind the word; null without a face.
 * @property {Box[]} boxes All faces.
 * @property {number} judged Which of them was judged; -1 without any.
 * @property {number} width Of the frame, px.
 * @property {number} height
 */
/**
 * @typedef {object} Engine
 * @property {"loading" | "ready" | "failed"} name
 * @property {number} loaded Bytes so far.
 * @property {number} total Bytes in all; 0 while unknown.
 * @property {string} reason Why it failed, see engine.js.
 * @property {string} detail
 */
/** @typedef {{name: "reading" | "picture" | "unreadable" | "unjudged", file: string}} Picture */
/**
 * @typedef {object} State
 * @property {Engine} engine
 * @property {import("./camera.js").CameraState} camera
 * @property {Picture | null} picture Shown in place of the camera.
 * @property {Judged | null} judged
 * @property {number} frames Camera frames judged since the start.
 * @property {{ms: number, count: number} | null} latency
 * @property {[number, number] | null} unsure Probabilities between which the word is UNSURE.
 */
/** @typedef {{act: string, label: string}} Action */
/**
 * @typedef {object} Panel
 * @property {string} icon
 * @property {string} title
 * @property {string} text
 * @property {string} detail
 * @property {Action[]} actions The first is the main way on.
 * @property {"" | "https" | "tab"} link The same page, otherwise.
 */
/**
 * @typedef {object} Verdict
 * @property {string} name live, attack, unsure, none, or "" while there is no verdict.
 * @property {string} word
 * @property {string} text
 * @property {string} percent
 * @property {number | null} live
 * @property {[number, number] | null} unsure
 * @property {string} note
 * @property {string} latency
 */
/**
 * @typedef {object} Screen
 * @property {string} name
 * @property {"panel" | "video" | "picture"} stage
 * @property {Panel | null} panel
 * @property {boolean} mirrored
 * @property {boolean} waiting Something is under way.
 * @property {Verdict} verdict
 * @property {Judged | null} marked Its faces are marked.
 * @property {{cameras: import("./camera.js").Device[], current: string, note: string}} list
 * @property {Action[]} controls
 * @property {{text: string, share: number | null}} progress share: 0..1, null when there is nothing to wait for.
 * @property {string} announcement
 */

const MEGABYTE = 1e6;
const START = { act: "start", key: "act.start" };
const CHOOSE = { act: "choose", key: "act.choose" };

/** @type {Record<string, {icon: string, acts: {act: string, key: string}[], link?: "https" | "tab"}>} */
const PANELS = {
  "loading": { icon: "face", acts: [START, CHOOSE] },
  "ready": { icon: "face", acts: [START, CHOOSE] },
  "asking": { icon: "camera", acts: [{ act: "stop", key: "act.cancel" }] },
  "paused": { icon: "pause", acts: [{ act: "start", key: "act.resume" }, CHOOSE] },
  "stopped": { icon: "face", acts: [START, CHOOSE] },
  "denied": { icon: "camera-off", acts: [{ act: "start", key: "act.retry" }, CHOOSE] },
  "dismissed": { icon: "camera-off", acts: [{ act: "start", key: "act.ask" }, CHOOSE] },
  "blocked": { icon: "camera-off", acts: [CHOOSE], link: "tab" },
  "no-camera": { icon: "camera-off", acts: [{ act: "start", key: "act.retry" }, CHOOSE] },
  "busy": { icon: "camera-off", acts: [{ act: "start", key: "act.retry" }, CHOOSE] },
  "overconstrained": { icon: "camera-off", acts: [{ act: "start", key: "act.any" }, CHOOSE] },
  "ended": { icon: "camera-off", acts: [{ act: "start", key: "act.again" }, CHOOSE] },
  "insecure": { icon: "camera-off", acts: [CHOOSE], link: "https" },
  "unsupported": { icon: "camera-off", acts: [CHOOSE] },
  "no-webassembly": { icon: "problem", acts: [{ act: "restart", key: "act.retry" }] },
  "download": { icon: "problem", acts: [{ act: "restart", key: "act.retry" }] },
  "model": { icon: "problem", acts: [{ act: "reload", key: "act.reload" }] },
  "worker": { icon: "problem", acts: [{ act: "restart", key: "act.restart" }] },
  "frame": { icon: "problem", acts: [{ act: "restart", key: "act.restart" }] },
  "reading": { icon: "picture", acts: [] },
  "unreadable": { icon: "problem", acts: [{ act: "choose", key: "act.another" }, START] },
  "unjudged": { icon: "problem", acts: [{ act: "choose", key: "act.another" }, START] },
};

/** The state's name, as `data-state` carries it. @param {State} state @returns {string} */
export function stateName({ engine, camera, picture }) {
  if (engine.name === "failed") return engine.reason;
  if (picture) return picture.name;
  if (camera.name === "idle") return engine.name;
  return camera.name;
}

/** @param {State} state @returns {Screen} */
export function screen(state) {
  const name = stateName(state);
  const stage = name === "running" ? "video" : name === "picture" ? "picture" : "panel";
  const panel = stage === "panel" ? panelOf(name, state) : null;
  const verdict = verdictOf(name, state);
  return {
    name,
    stage,
    panel,
    mirrored: stage === "video" && state.camera.mirrored,
    waiting: name === "asking" || name === "reading" || (stage !== "panel" && !verdict.name),
    verdict,
    marked: stage === "panel" ? null : state.judged,
    list: listOf(name, state),
    controls: controlsOf(name, state).map(({ act, key }) => ({ act, label: say(key) })),
    progress: progressOf(state.engine),
    announcement: panel ? `${panel.title}. ${panel.text}` : verdict.name ? `${verdict.word}. ${verdict.text}` : say(`${name}.text`),
  };
}

/** @param {string} name @param {State} state @returns {Panel} */
function panelOf(name, { engine, camera, picture }) {
  const { icon, acts, link = "" } = PANELS[name];
  const words = name === "loading" ? "ready" : name; // the camera may be started before the networks are there
  return {
    icon,
    title: say(`${words}.title`),
    text: say(`${words}.text`, { file: picture?.file ?? "" }),
    detail: engine.name === "failed" ? engine.detail : picture ? "" : camera.detail,
    actions: acts.map(({ act, key }) => ({ act, label: say(key) })),
    link,
  };
}

/** @param {string} name @param {State} state @returns {Verdict} */
function verdictOf(name, { engine, judged, latency, unsure }) {
  const shown = name === "running" || name === "picture";
  if (!judged || !shown) {
    const text = say(!shown ? "verdict.waiting" : engine.name === "loading" ? "verdict.loading" : "verdict.pending");
    return { name: "", word: "", text, percent: say("probability.unknown"), live: null, unsure, note: "", latency: "" };
  }
  const { word, live, boxes } = judged;
  const still = name === "picture";
  const ofPicture = still && (word === "none" || word === "unsure");
  return {
    name: word,
    word: say(`${word}.word`),
    text: say(ofPicture ? `${word}.picture` : `${word}.text`),
    percent: percentOf(live),
    live,
    unsure,
    note: boxes.length > 1 ? say(still ? "several.picture" : "several", { count: boxes.length }) : "",
    latency: latency ? say("latency", { ms: Math.round(latency.ms), count: latency.count }) : "",
  };
}

/** @param {number | null} live */
function percentOf(live) {
  if (live === null) return say("probability.unknown");
  if (live < 0.01) return say("probability.under");
  if (live > 0.99) return say("probability.over");
  return say("probability.value", { percent: Math.round(100 * live) });
}

/** @param {string} name @param {State} state */
function listOf(name, { camera }) {
  const known = camera.cameras.some(({ id }) => id === camera.deviceId);
  if (name !== "running" || !known) return { cameras: [], current: "", note: "" };
  const cameras = camera.cameras.map(({ id, label }, i) => ({ id, label: label || say("camera.nth", { n: i + 1 }) }));
  return { cameras, current: camera.deviceId, note: camera.substituted ? say("substituted") : "" };
}

/** @param {string} name @param {State} state */
function controlsOf(name, { camera }) {
  if (name === "picture") return [{ act: "choose", key: "act.another" }, START];
  if (name !== "running") return [];
  const turn = camera.turnable ? [{ act: "turn", key: "act.turn" }] : [];
  return [...turn, { act: "stop", key: "act.stop" }, CHOOSE];
}

/** @param {Engine} engine */
function progressOf({ name, loaded, total }) {
  if (name === "failed") return { text: "", share: null };
  if (name === "ready") return { text: say("progress.done"), share: null };
  if (!total) return { text: say("progress.start"), share: 0 };
  if (loaded >= total) return { text: say("progress.warm"), share: 1 };
  const megabytes = { loaded: (loaded / MEGABYTE).toFixed(1), total: (total / MEGABYTE).toFixed(1) };
  return { text: say("progress", megabytes), share: loaded / total };
}
