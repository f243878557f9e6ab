// @ts-check
/** What is the case → what is shown: a pure function, so that every state can be looked at without a camera. */

import { chartOf, durationOf, runsOf } from "./chronicle.js";
import { oval } from "./guidance.js";
import { decimal, say } from "./strings.js";
import { ratesAt } from "./threshold.js";
import { bounds, probability } from "./verdict.js";

/** @typedef {import("./store.js").State} State */
/** @typedef {import("./store.js").Judged} Judged */
/** @typedef {{act: string, label: string}} Action */
/**
 * @typedef {object} Panel
 * @property {string} icon
 * @property {string} title
 * @property {string} text
 * @property {string} detail
 * @property {Action[]} actions The first is the main way on.
 * @property {"" | "https" | "tab"} link The same page, otherwise.
 * @property {string} ways Other ways to a verdict.
 */
/**
 * @typedef {object} Verdict
 * @property {string} name live, attack, unsure, none, or "" while there is no verdict.
 * @property {string} reason Why there is none although there are pictures: a reason's code, or "".
 * @property {string} icon
 * @property {string} word Or what to do.
 * @property {string} text
 * @property {string} percent
 * @property {number | null} live
 * @property {[number, number] | null} unsure Probabilities between which the word is UNSURE.
 * @property {string} note
 * @property {string} latency
 */
/** @typedef {import("./guidance.js").Oval & {tone: "neutral" | "ok" | "warn"}} Target */
/** @typedef {{split: string, apcer: string, bpcer: string}} RateRow */
/**
 * @typedef {object} Threshold
 * @property {number} at
 * @property {number} last
 * @property {boolean} moved
 * @property {string} state
 * @property {string} value For those who hear the slider.
 * @property {RateRow[]} rows
 */
/**
 * @typedef {object} Screen
 * @property {string} name
 * @property {"panel" | "video" | "picture" | "film"} stage
 * @property {Panel | null} panel
 * @property {boolean} mirrored
 * @property {boolean} waiting Something is under way.
 * @property {boolean} asked The stage now shows what was asked for, perhaps from further down the page.
 * @property {Verdict} verdict
 * @property {Judged | null} marked Its faces are marked.
 * @property {Target | null} target
 * @property {{shown: boolean, on: boolean}} heat The switch for the evidence.
 * @property {import("./chronicle.js").Chart | null} chart
 * @property {import("./chronicle.js").RunText[]} runs
 * @property {{text: string, share: number} | null} film How far a video has been judged.
 * @property {Threshold | null} threshold
 * @property {{cameras: import("./camera.js").Device[], current: string, note: string}} list
 * @property {Action[]} controls
 * @property {{text: string, share: number | null}} progress share: 0..1, null when there is nothing to wait for.
 * @property {string} update
 * @property {string} announcement
 */

const MEGABYTE = 1e6;
const MOST_DIGITS = 12;
const START = { act: "start", key: "act.start" };
const CHOOSE = { act: "choose", key: "act.choose" };
const ANOTHER = { act: "choose", key: "act.another" };
const RETRY = { act: "start", key: "act.retry" };
const RESTART = { act: "restart", key: "act.retry" };
const OTHER_FILE = { icon: "problem", acts: [ANOTHER, START] };

/** @type {Record<string, {icon: string, acts: {act: string, key: string}[], link?: "https" | "tab"}>} */
const PANELS = {
  "loading": { icon: "face", acts: [START, CHOOSE] },
  "ready": { icon: "face", acts: [START, CHOOSE] },
  "asking": { icon: "camera", acts: [{ act: "stop", key: "act.cancel" }] },
  "paused": { icon: "pause", acts: [{ act: "start", key: "act.resume" }, CHOOSE] },
  "asleep": { icon: "pause", acts: [{ act: "start", key: "act.resume" }, CHOOSE] },
  "stopped": { icon: "face", acts: [START, CHOOSE] },
  "denied": { icon: "camera-off", acts: [RETRY, CHOOSE] },
  "dismissed": { icon: "camera-off", acts: [{ act: "start", key: "act.ask" }, CHOOSE] },
  "blocked": { icon: "camera-off", acts: [CHOOSE], link: "tab" },
  "no-camera": { icon: "camera-off", acts: [RETRY, CHOOSE] },
  "busy": { icon: "camera-off", acts: [RETRY, CHOOSE] },
  "overconstrained": { icon: "camera-off", acts: [{ act: "start", key: "act.any" }, CHOOSE] },
  "ended": { icon: "camera-off", acts: [{ act: "start", key: "act.again" }, CHOOSE] },
  "insecure": { icon: "camera-off", acts: [CHOOSE], link: "https" },
  "unsupported": { icon: "camera-off", acts: [CHOOSE] },
  "no-webassembly": { icon: "problem", acts: [RESTART] },
  "download": { icon: "problem", acts: [RESTART] },
  "integrity": { icon: "problem", acts: [RESTART] },
  "model": { icon: "problem", acts: [{ act: "reload", key: "act.reload" }] },
  "worker": { icon: "problem", acts: [{ act: "restart", key: "act.restart" }] },
  "frame": { icon: "problem", acts: [{ act: "restart", key: "act.restart" }] },
  "reading": { icon: "picture", acts: [{ act: "leave", key: "act.cancel" }] },
  "unreadable": OTHER_FILE,
  "unjudged": OTHER_FILE,
  "no-picture": OTHER_FILE,
  "too-long": OTHER_FILE,
  "unfetched": OTHER_FILE,
};
/** @type {Record<string, Screen["stage"]>} */
const STAGES = { running: "video", picture: "picture", video: "film", watched: "film" };
const WITH_WAYS = ["loading", "ready", "stopped"];
const ASKED = ["asking", "running", "reading", "picture", "video"];

/** The state's name, as `data-state` carries it. @param {State} state @returns {string} */
export function stateName({ engine, camera, file }) {
  if (engine.name === "failed") return engine.reason;
  if (file) return file.name;
  if (camera.name === "idle") return engine.name;
  return camera.name;
}

/** @param {State} state @returns {Screen} */
export function screen(state) {
  const name = stateName(state);
  const stage = STAGES[name] ?? "panel";
  const panel = stage === "panel" ? panelOf(name, state) : null;
  const verdict = verdictOf(stage, state);
  const film = filmOf(name, state);
  const marked = stage === "panel" ? null : state.judged;
  return {
    name,
    stage,
    panel,
    mirrored: stage === "video" && state.camera.mirrored,
    waiting: ["asking", "reading", "video"].includes(name) || (stage !== "panel" && !verdict.word),
    asked: ASKED.includes(name),
    verdict,
    marked,
    target: stage === "video" && marked ? targetOf(marked, verdict) : null,
    heat: { shown: marked !== null, on: state.heat },
    chart: chartOf(stage, state),
    runs: stage === "film" ? runsOf(state) : [],
    film,
    threshold: thresholdOf(state),
    list: listOf(name, state),
    controls: controlsOf(name, state).map(({ act, key }) => ({ act, label: say(key) })),
    progress: progressOf(state.engine),
    update: state.renewable ? say("update") : "",
    announcement: announcementOf(name, state.file, panel, film, verdict),
  };
}

/** @param {string} name @param {State} state @returns {Panel} */
function panelOf(name, { engine, camera, file }) {
  const { icon, acts, link = "" } = PANELS[name];
  const words = name === "loading" ? "ready" : name; // the camera may be started before the networks are there
  return {
    icon,
    title: say(`${words}.title`),
    text: say(`${words}.text`, { file: file?.file ?? "" }),
    detail: engine.name === "failed" ? engine.detail : file ? "" : camera.detail,
    actions: acts.map(({ act, key }) => ({ act, label: say(key) })),
    link,
    ways: WITH_WAYS.includes(name) ? say("ways") : "",
  };
}

/** @param {Screen["stage"]} stage @param {State} state @returns {Verdict} */
function verdictOf(stage, state) {
  const { engine, camera, signal, judged, latency, rules } = state;
  const live = judged && stage !== "panel" ? judged.live : null;
  const unsure = rules && boundsOf(rules);
  const empty = { name: "", reason: "", icon: "none", word: "", percent: percentOf(null), live, unsure, note: "", latency: "" };
  if (stage === "panel") return { ...empty, text: say("verdict.waiting") };
  const still = stage !== "video";
  const said = judged ? { ...empty, name: judged.word } : empty;
  const wrong = still ? "" : camera.muted ? "muted" : signal;
  const reason = wrong || (judged?.reason ?? "");
  if (reason && still) {
    const why = say("refused.still", { reason: say(`${reason}.name`) });
    return { ...said, reason, icon: "hint", word: say("refused.word"), text: why };
  }
  if (reason) return { ...said, reason, icon: "hint", word: say(`${reason}.act`), text: say(`${reason}.text`) };
  if (!judged) return { ...empty, text: say(engine.name === "loading" ? "verdict.loading" : "verdict.pending") };
  const { word, boxes } = judged;
  const moved = state.curve && state.at !== state.curve.chosen;
  return {
    ...said,
    icon: word,
    word: say(`${word}.word`),
    text: say(still && (word === "none" || word === "unsure") ? `${word}.still` : `${word}.text`),
    percent: percentOf(live),
    note: moved ? say("threshold.moved") : boxes.length > 1 ? say("several", { count: boxes.length }) : "",
    latency: latency ? say("latency", { ms: Math.round(latency.ms), count: latency.count }) : "",
  };
}

/**
 * @param {string} name @param {State["file"]} file @param {Panel | null} panel @param {Screen["film"]} film
 * @param {Verdict} verdict
 */
function announcementOf(name, file, panel, film, { word, text }) {
  if (panel) return `${panel.title}. ${panel.text}`;
  if (name === "video") return say("video.text"); // its words change as fast as it is judged
  const saying = word ? `${word}. ${text}` : say(`${name}.text`);
  if (!file) return saying;
  // named, because a screen reader says nothing of a second file with the same words
  return [`${file.file}:`, film?.text ?? "", saying].filter(Boolean).join(" ");
}

/** @param {import("./contract.js").VerdictRules} rules @returns {[number, number]} */
function boundsOf(rules) {
  const { attack, live } = bounds(rules);
  return [probability(attack, rules), probability(live, rules)];
}

/** @param {number | null} share */
function percentOf(share) {
  if (share === null) return say("probability.unknown");
  if (share < 0.01) return say("probability.under");
  if (share > 0.99) return say("probability.over");
  return say("probability.value", { percent: Math.round(100 * share) });
}

/**
 * A threshold in percent, with as many digits as tell it from 0 and from 100.
 * @param {number} share
 */
function thresholdPercent(share) {
  const away = 100 * Math.min(share, 1 - share);
  const digits = Math.min(MOST_DIGITS, Math.max(0, Math.ceil(-Math.log10(away))));
  return say("probability.value", { percent: decimal(100 * share, digits) });
}

/** @param {Judged} judged @param {Verdict} verdict @returns {Target} */
function targetOf({ width, height }, { reason, name }) {
  return { ...oval(width, height), tone: reason ? "warn" : name === "none" ? "neutral" : "ok" };
}

/** @param {string} name @param {State} state */
function filmOf(name, { file }) {
  const { timeMs = 0, durationMs = 0, cancelled = false } = file ?? {};
  if (name !== "video" && name !== "watched") return null;
  const share = timeMs / Math.max(1, durationMs);
  const times = { time: durationOf(timeMs), duration: durationOf(durationMs) };
  if (name === "video") return { text: say("film.progress", times), share };
  return { text: cancelled ? say("cancelled.text", times) : say("watched.text"), share };
}

/** @param {State} state @returns {Threshold | null} */
function thresholdOf({ curve, rules, at }) {
  if (!curve || !rules) return null;
  const percent = thresholdPercent(probability(rules.threshold, rules));
  const rows = ratesAt(curve, at).map(({ split, apcer, bpcer }) => (
    { split: say(`threshold.${split}`), apcer: shareOf(apcer), bpcer: shareOf(bpcer) }
  ));
  const moved = at !== curve.chosen;
  return {
    at,
    last: curve.threshold.length - 1,
    moved,
    state: `${say("threshold.state", { percent })}${moved ? "" : ` ${say("threshold.default")}`}`,
    value: say("threshold.value", { percent, ...(rows.at(-1) ?? { apcer: "–", bpcer: "–" }) }),
    rows,
  };
}

/** @param {number} share */
function shareOf(share) {
  return say("share", { percent: decimal(100 * share) });
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
  if (name === "video") return [{ act: "cancel", key: "act.cancel" }];
  if (name === "picture" || name === "watched") return [ANOTHER, START];
  if (name !== "running") return [];
  const turn = camera.turnable ? [{ act: "turn", key: "act.turn" }] : [];
  return [...turn, { act: "stop", key: "act.stop" }, CHOOSE];
}

/** @param {import("./store.js").EngineState} engine */
function progressOf({ name, loaded, total }) {
  if (name === "failed") return { text: "", share: null };
  if (name === "ready") return { text: say("progress.done"), share: null };
  if (!total) return { text: say("progress.start"), share: 0 };
  if (loaded >= total) return { text: say("progress.warm"), share: 1 };
  const megabytes = { loaded: decimal(loaded / MEGABYTE), total: decimal(total / MEGABYTE) };
  return { text: say("progress", megabytes), share: loaded / total };
}
