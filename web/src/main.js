// @ts-check
/** Puts the page together: what is asked for, what is the case, what is shown. */

import { allowed, Camera } from "./camera.js";
import { Files } from "./files.js";
import { takeFiles } from "./intake.js";
import { Judge } from "./judge.js";
import { watchForUpdate } from "./offline.js";
import { screen } from "./screen.js";
import { Session } from "./session.js";
import { Store } from "./store.js";
import { choice, speak } from "./strings.js";
import { View } from "./view.js";

/** Puts the newer version of the page in place, once there is one. */
let renew = () => {};
const fileInput = /** @type {HTMLInputElement} */ (document.getElementById("file"));

const view = new View({
  act: (act) => ACTS[act](),
  pick: (deviceId) => camera.start({ deviceId }),
  slide: moveThreshold,
  heat: (on) => store.update({ heat: on }),
  language: (code) => {
    history.replaceState(null, "", `?lang=${code}`);
    talk(code);
    store.update({});
  },
});
const camera = new Camera((now) => session.follow(now));
talk(choice(location.search, navigator.languages));
const store = new Store(
  {
    engine: { name: "loading", loaded: 0, total: 0, reason: "", detail: "" },
    camera: camera.state,
    signal: "",
    file: null,
    judged: null,
    frames: 0,
    points: [],
    latency: null,
    rules: null,
    curve: null,
    at: 0,
    heat: false,
    renewable: false,
  },
  (state) => view.show(screen(state), state.frames),
);
const judge = new Judge(store, () => {
  files.leave();
  camera.stop();
});
const session = new Session(store, judge, camera, view.stage.video);
const files = new Files(store, judge, view.stage, () => camera.stop());

/** @type {Record<string, () => void>} */
const ACTS = {
  start: () => {
    files.leave();
    camera.start();
  },
  stop: () => camera.stop(),
  turn: () => camera.start(camera.otherSide()),
  choose: () => fileInput.click(),
  cancel: () => files.cancel(),
  leave: () => files.leave(),
  restart: () => judge.restart(),
  reload: () => location.reload(),
  renew: () => renew(),
  reset: () => moveThreshold(store.state.curve?.chosen ?? 0),
};

/** @param {string} code */
function talk(code) {
  speak(code);
  view.translate(code);
}

/** @param {number} at Index in the curve. */
async function moveThreshold(at) {
  await judge.moveThreshold(at);
  await files.sayAgain();
}

takeFiles(fileInput, (file) => files.open(file), (url, title) => files.sample(url, title));

document.addEventListener("visibilitychange", async () => {
  if (document.hidden) camera.pause();
  else if (camera.state.name === "paused" && (await allowed()) && camera.state.name === "paused") camera.start();
});

judge.ready.then(() =>
  watchForUpdate((apply) => {
    renew = apply;
    store.update({ renewable: true });
  }),
);
