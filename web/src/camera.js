// @ts-check
/**
 * The camera as a small state machine:
 *
 *   idle → asking → running → stopped      stop(), from anywhere
 *                   running → paused       pause(), while the page is hidden
 *                   running → asleep       rest(), when nobody seems to be there
 *                   running → ended        the camera was taken away
 *   asking → denied | dismissed | blocked | no-camera | busy | overconstrained
 *   insecure | unsupported                 no way to a camera at all
 *
 * start() leads from every state to asking; the latest call wins. A turn number tells whether the answer to a request
 * is still wanted; a stream that comes too late is stopped at once, so that no camera stays on unseen.
 */

/** @typedef {{facing?: "user" | "environment", deviceId?: string}} Choice */
/** @typedef {{id: string, label: string}} Device */
/**
 * @typedef {object} CameraState
 * @property {string} name One of the states above.
 * @property {Choice} choice What was asked for last.
 * @property {string} detail The browser's own words on a failure, or "".
 * @property {MediaStream | null} stream While running.
 * @property {string} deviceId The running camera, or "".
 * @property {Device[]} cameras All that can be chosen, known while running.
 * @property {boolean} mirrored The running camera looks at its user: preview like a mirror.
 * @property {boolean} turnable There is a front and a rear camera to switch between.
 * @property {boolean} substituted The running camera is not the one that was asked for.
 * @property {boolean} muted It is on and sends no pictures.
 */

/** @type {CameraState} */
const IDLE = {
  name: "idle", choice: { facing: "user" }, detail: "", stream: null, deviceId: "", cameras: [],
  mirrored: false, turnable: false, substituted: false, muted: false,
};
const MUTED_MS = 1000; // shorter silences come with a phone's turn or a camera's start
const WISHES = { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 30 } };

export class Camera {
  /** @type {CameraState} */
  state = IDLE;
  #turn = 0;
  /** @type {Promise<unknown>} */
  #settled = Promise.resolve();
  #changed;

  /** @param {(state: CameraState) => void} changed Called after each change of state. */
  constructor(changed) {
    this.#changed = changed;
    const obstacle = unavailable();
    if (obstacle) this.state = { ...IDLE, name: obstacle };
    else navigator.mediaDevices.addEventListener?.("devicechange", () => this.#recount());
  }

  /**
   * Ask for a camera; resolves when the request is answered or overtaken. Never rejects: a failure is a state.
   * @param {Choice} [choice] Left out: the one asked for last.
   */
  async start(choice = this.state.choice) {
    const { name, substituted } = this.state;
    const underway = name === "asking" || (name === "running" && !substituted); // what was missing may be there now
    if (underway && same(choice, this.state.choice)) return;
    const turn = this.#release();
    const overtaken = () => turn !== this.#turn;
    const obstacle = unavailable();
    if (obstacle) return this.#become({ ...IDLE, name: obstacle, choice });
    this.#become({ ...IDLE, name: "asking", choice });
    // One request after the other: many phones cannot open a second camera before the first is closed.
    const request = this.#settled.then(async () => {
      if (overtaken()) return null;
      const stream = await acquire(choice);
      const cameras = await devices();
      if (!overtaken()) return { stream, cameras };
      stop(stream);
      return null;
    });
    this.#settled = request.catch(() => null);
    try {
      const granted = await request;
      if (granted) this.#run(granted.stream, granted.cameras, choice, turn);
    } catch (error) {
      const name = await problem(error);
      if (!overtaken()) this.#become({ ...IDLE, name, choice, detail: describe(error) });
    }
  }

  /** Switch the camera off, or take back a request. */
  stop() {
    if (["asking", "running", "paused"].includes(this.state.name)) this.#leave("stopped");
  }

  /** Switch a running camera off until start() is called again. */
  pause() {
    if (this.state.name === "running") this.#leave("paused");
  }

  /** Switch a running camera off that nobody uses. */
  rest() {
    if (this.state.name === "running") this.#leave("asleep");
  }

  /** The choice that is the other side of the running camera. @returns {Choice} */
  otherSide() {
    return { facing: this.state.mirrored ? "environment" : "user" };
  }

  /** @param {string} name */
  #leave(name) {
    this.#release();
    this.#become({ ...IDLE, name, choice: this.state.choice });
  }

  /** @param {MediaStream} stream @param {Device[]} cameras @param {Choice} choice @param {number} turn */
  #run(stream, cameras, choice, turn) {
    const [track] = stream.getVideoTracks();
    const { facingMode = "", deviceId = "" } = track.getSettings();
    track.addEventListener("ended", () => {
      if (turn === this.#turn) this.#leave("ended");
    });
    const heard = () => this.#listen(track, turn);
    track.addEventListener("mute", () => setTimeout(heard, MUTED_MS));
    track.addEventListener("unmute", heard);
    const turnable = cameras.length > 1 && ["user", "environment"].includes(facingMode);
    const substituted = choice.deviceId ? deviceId !== choice.deviceId : turnable && facingMode !== choice.facing;
    const mirrored = facesUser(facingMode, track.label);
    // an event that came before the listener does not come again
    if (track.readyState === "ended") return this.#leave("ended");
    this.#become({ ...IDLE, name: "running", choice, stream, deviceId, cameras, mirrored, turnable, substituted });
    setTimeout(heard, MUTED_MS);
  }

  /** @param {MediaStreamTrack} track @param {number} turn */
  #listen({ muted }, turn) {
    if (turn === this.#turn && this.state.name === "running" && this.state.muted !== muted) {
      this.#become({ ...this.state, muted });
    }
  }

  async #recount() {
    const turn = this.#turn;
    const cameras = await devices();
    if (turn === this.#turn && this.state.name === "running") this.#become({ ...this.state, cameras });
  }

  /** Stops what runs and makes every answer still under way unwanted. @returns {number} The new turn. */
  #release() {
    if (this.state.stream) stop(this.state.stream);
    return ++this.#turn;
  }

  /** @param {CameraState} state */
  #become(state) {
    this.state = state;
    this.#changed(state);
  }
}

/** May the camera be started without asking? @returns {Promise<boolean>} */
export async function allowed() {
  return (await permission()) === "granted";
}

/** Why no camera can be asked for in this browser or on this page, or "". */
function unavailable() {
  if (navigator.mediaDevices && "getUserMedia" in navigator.mediaDevices) return "";
  return window.isSecureContext ? "unsupported" : "insecure";
}

/** @param {Choice} choice @returns {Promise<MediaStream>} */
async function acquire({ deviceId, facing }) {
  const which = deviceId ? { deviceId: { exact: deviceId } } : { facingMode: facing };
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: false, video: { ...WISHES, ...which } });
  } catch (error) {
    if (nameOf(error) !== "OverconstrainedError") throw error;
    return navigator.mediaDevices.getUserMedia({ audio: false, video: WISHES });
  }
}

/** @returns {Promise<Device[]>} */
async function devices() {
  try {
    const all = await navigator.mediaDevices.enumerateDevices();
    return all.filter((d) => d.kind === "videoinput").map((d) => ({ id: d.deviceId, label: d.label }));
  } catch {
    return [];
  }
}

/** The state for a refused getUserMedia. @param {unknown} error @returns {Promise<string>} */
async function problem(error) {
  switch (nameOf(error)) {
    case "NotAllowedError":
    case "SecurityError":
      if (embeddedWithoutCamera()) return "blocked";
      return (await permission()) === "prompt" ? "dismissed" : "denied";
    case "NotFoundError":
      return "no-camera";
    case "OverconstrainedError":
      return "overconstrained";
    default:
      return "busy";
  }
}

/** @returns {boolean} */
function embeddedWithoutCamera() {
  const policy = /** @type {any} */ (document).permissionsPolicy ?? /** @type {any} */ (document).featurePolicy;
  return policy?.allowsFeature ? !policy.allowsFeature("camera") : false;
}

/** @returns {Promise<string>} "granted", "denied", "prompt", or "" where the browser does not say. */
async function permission() {
  try {
    return (await navigator.permissions.query({ name: /** @type {PermissionName} */ ("camera") })).state;
  } catch {
    return "";
  }
}

/**
 * Webcams rarely say where they look; nearly all look at their user, so only a label may tell otherwise.
 * @param {string} facingMode @param {string} label
 */
function facesUser(facingMode, label) {
  return facingMode ? facingMode === "user" : !/\b(back|rear|environment)\b/i.test(label);
}

/** @param {Choice} a @param {Choice} b */
function same(a, b) {
  return a.deviceId === b.deviceId && a.facing === b.facing;
}

/** @param {MediaStream} stream */
function stop(stream) {
  for (const track of stream.getTracks()) track.stop();
}

/** Some browsers' OverconstrainedError is no Error. @param {unknown} error @returns {string} */
function nameOf(error) {
  return /** @type {{name?: string}} */ (error)?.name ?? "";
}

/** @param {unknown} error @returns {string} */
function describe(error) {
  const { message = "" } = /** @type {{message?: string}} */ (error);
  return [nameOf(error), message].filter(Boolean).join(": ");
}
