// @ts-check
/**
 * Every sentence of the page, in one dictionary. A `{name}` is filled in when the sentence is shown.
 *
 * Elements with `data-text="key"` get the sentence as text, `data-label="key"` as accessible name.
 */

export const STRINGS = {
  "lead": "SpoofNet says whether the face in front of your camera is really there, or only shown on paper or a screen.",
  "skip": "Skip to the demonstration",

  "ready.title": "See for yourself",
  "ready.text": "Your browser will ask for the camera. Pictures are judged on this device; nothing is sent anywhere.",
  "asking.title": "Waiting for the camera",
  "asking.text": "Say yes when your browser asks. If no question appears, look for a camera symbol beside the address.",
  "running.text": "The camera is on.",
  "paused.title": "Paused",
  "paused.text": "The camera was switched off while this page was out of sight.",
  "stopped.title": "The camera is off",
  "stopped.text": "Nothing was kept: every picture is forgotten as soon as it is judged.",
  "denied.title": "The camera is not allowed",
  "denied.text": "Your browser keeps the camera from this page. Allow it at the symbol beside the address, then try again.",
  "dismissed.title": "No answer yet",
  "dismissed.text": "The question for the camera was closed or turned down. You can be asked again.",
  "blocked.title": "The camera is blocked here",
  "blocked.text": "This page is shown inside another one that doesn't pass the camera on. Open it in a tab of its own.",
  "no-camera.title": "No camera found",
  "no-camera.text": "Connect a camera and try again, or choose a picture instead.",
  "busy.title": "The camera does not answer",
  "busy.text": "Another program or tab may be using it. Close that one, then try again.",
  "overconstrained.title": "The camera does not fit",
  "overconstrained.text": "No camera can give pictures of the kind asked for. Connect another one, then try again.",
  "ended.title": "The camera went away",
  "ended.text": "It was unplugged, or switched off by the system. Connect it, then start again.",
  "insecure.title": "The camera needs a secure page",
  "insecure.text": "Browsers give the camera only to pages that come over https. Open this page that way, or choose a picture.",
  "unsupported.title": "No camera in this browser",
  "unsupported.text": "It has no way to the camera. Open the page in a current Chrome, Firefox, Safari or Edge, or choose a picture.",

  "no-webassembly.title": "This browser cannot run the networks",
  "no-webassembly.text": "They need WebAssembly. Allow it in the browser's settings or take a current browser, then try again.",
  "download.title": "The networks did not arrive",
  "download.text": "A file could not be downloaded. Check the connection, then try again.",
  "model.title": "The networks cannot be used",
  "model.text": "What was downloaded does not fit together, maybe because the page has just been renewed. Reload it.",
  "worker.title": "The judging stopped",
  "worker.text": "The part of the page that computes has failed, perhaps because memory ran out. Start it again.",
  "frame.title": "The camera's pictures cannot be judged",
  "frame.text": "The networks failed on one after the other. Start them again.",

  "reading.title": "Reading the picture",
  "reading.text": "It stays on this device.",
  "picture.text": "Your picture is shown.",
  "unreadable.title": "Not a readable picture",
  "unreadable.text": "{file} cannot be shown by this browser. Choose a whole JPEG, PNG or WebP.",
  "unjudged.title": "This picture could not be judged",
  "unjudged.text": "{file} may be too large for this device. Choose another one.",

  "act.start": "Start the camera",
  "act.again": "Start again",
  "act.retry": "Try again",
  "act.ask": "Ask me again",
  "act.any": "Try any camera",
  "act.cancel": "Cancel",
  "act.resume": "Resume",
  "act.stop": "Stop the camera",
  "act.turn": "Switch front and rear",
  "act.choose": "Choose a picture",
  "act.another": "Another picture",
  "act.reload": "Reload the page",
  "act.restart": "Start the networks again",
  "act.https": "Open over https",
  "act.tab": "Open in a tab of its own",
  "drop": "Drop the picture to have it judged",

  "live.word": "LIVE",
  "live.text": "This looks like a face that is really there.",
  "attack.word": "ATTACK",
  "attack.text": "This looks like a face shown on paper or a screen.",
  "unsure.word": "UNSURE",
  "unsure.text": "The networks cannot tell. Hold still and look into the camera.",
  "unsure.picture": "The networks cannot tell from this picture.",
  "none.word": "NO FACE",
  "none.text": "No face in sight. Move in front of the camera.",
  "none.picture": "No face was found in this picture.",

  "legend.live": "A face that is really there.",
  "legend.attack": "A face shown on paper or a screen.",
  "legend.unsure": "The networks cannot tell.",

  "verdict": "Verdict",
  "verdict.waiting": "The verdict appears here as one of three words.",
  "verdict.pending": "One moment…",
  "verdict.loading": "It comes as soon as the networks are loaded.",
  "probability": "Probability of a live face",
  "probability.under": "under 1\u00a0%",
  "probability.over": "over 99\u00a0%",
  "probability.value": "{percent}\u00a0%",
  "probability.unknown": "–",
  "scale.attack": "attack",
  "scale.live": "live",
  "several": "{count} faces in sight; the largest one is judged.",
  "several.picture": "{count} faces found; the largest one is judged.",
  "latency": "{ms}\u00a0ms per picture, median of the last {count}; wasm, 1\u00a0thread",

  "progress": "Loading the networks: {loaded} of {total} MB",
  "progress.start": "Loading the networks…",
  "progress.warm": "Loaded. Warming up the networks…",
  "progress.done": "The networks are loaded; from here on, nothing more is fetched.",

  "preview": "Camera preview",
  "picture.alt": "The picture that you chose",
  "stage": "Camera or picture",
  "controls": "Camera and picture",
  "camera": "Camera",
  "camera.nth": "Camera {n}",
  "substituted": "The camera you asked for is not there; this is another one.",

  "limits.title": "What it cannot do",
  "limits": "This is a research demonstration, not a security product. It makes mistakes, more of them with cameras, light and attacks it has never seen, so nothing important should depend on its answer. It does not recognise anyone.",
  "privacy.title": "What happens to your pictures",
  "privacy": "They never leave this device, and none is kept. Once the networks are loaded you can cut the connection: everything keeps working.",
  "licences": "Licences of third parties",
  "source": "Source of this page",
};

/** @typedef {keyof typeof STRINGS} Key */

/**
 * A sentence with its `{name}`s filled in; an unknown key is an error of the page itself.
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 * @returns {string}
 */
export function say(key, values = {}) {
  const sentence = STRINGS[/** @type {Key} */ (key)];
  if (sentence === undefined) throw new Error(`no sentence for ${key}`);
  return sentence.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}
