// @ts-check
/**
 * A video file → its pictures along the time line, in order, one at a time. Nothing is played or shown.
 */

/**
 * - unreadable: no video that this browser can decode, one that breaks off, or one that does not answer
 * - no-picture: it has no picture to show, as a file with sound only
 * - too-long: it lasts longer than was allowed
 * @typedef {"unreadable" | "no-picture" | "too-long"} MediaReason
 */

export class MediaError extends Error {
  /**
   * @param {MediaReason} reason
   * @param {string} detail for a developer; the page has its own words for each reason
   */
  constructor(reason, detail) {
    super(`${reason}: ${detail}`);
    this.name = "MediaError";
    this.reason = reason;
    this.detail = detail;
  }
}

/**
 * @typedef {object} Moment
 * @property {number} timeMs asked for: 0, everyMs, 2 everyMs …, below durationMs
 * @property {number} durationMs of the whole video
 * @property {ImageBitmap} bitmap what the video shows at that time, upright; the taker closes it
 */

const EVERY_MS = 200;
const PATIENCE_MS = 10_000;
const FAR_S = 1e9; // a seek so far ends at the last picture, and the browser then knows how long the video is

/**
 * The pictures of a video. Ends by itself, with a MediaError, or with `signal.reason` once that is aborted; what was
 * opened for it is given back in each case, also when the loop over it is left. Of a file that was cut off, the last
 * whole picture stands for the rest of the length that the file states.
 * @param {Blob | string} source a file, or a URL on the page's own origin
 * @param {object} [options]
 * @param {AbortSignal} [options.signal]
 * @param {number} [options.everyMs] time between two pictures
 * @param {number} [options.limitMs] a longer video is refused as too-long
 * @param {number} [options.patienceMs] how long the browser may take for one step before the video is unreadable
 * @returns {AsyncGenerator<Moment, void, void>}
 */
export async function* alongTimeline(source, options = {}) {
  const { signal, everyMs = EVERY_MS, limitMs = Infinity, patienceMs = PATIENCE_MS } = options;
  signal?.throwIfAborted();
  if (!(everyMs > 0)) throw new RangeError(`everyMs is ${everyMs}; give a time above 0`);
  const url = typeof source === "string" ? source : URL.createObjectURL(source);
  const video = document.createElement("video");
  /** @param {string} event @param {() => void} act */
  const after = (event, act) => happened(video, event, act, patienceMs, signal);
  try {
    video.muted = video.playsInline = true;
    video.preload = "auto";
    await after("loadedmetadata", () => (video.src = url));
    if (!video.videoWidth) throw new MediaError("no-picture", "no picture track that this browser can decode");
    if (!Number.isFinite(video.duration)) await after("seeked", () => (video.currentTime = FAR_S));
    if (!Number.isFinite(video.duration)) throw new MediaError("unreadable", "it does not say how long it is");
    const durationMs = 1000 * video.duration;
    if (durationMs > limitMs) throw new MediaError("too-long", `${Math.ceil(durationMs)} ms, allowed are ${limitMs}`);
    for (let timeMs = 0; timeMs === 0 || timeMs < durationMs; timeMs += everyMs) {
      await after("seeked", () => (video.currentTime = timeMs / 1000));
      yield { timeMs, durationMs, bitmap: await picture(video, signal) };
    }
  } finally {
    video.removeAttribute("src");
    video.load(); // lets go of the file
    if (url !== source) URL.revokeObjectURL(url);
  }
}

/**
 * @param {HTMLVideoElement} video
 * @param {AbortSignal} [signal]
 * @returns {Promise<ImageBitmap>}
 */
async function picture(video, signal) {
  const bitmap = await createImageBitmap(video).catch((error) => {
    throw new MediaError("no-picture", String(error));
  });
  if (signal?.aborted) bitmap.close();
  signal?.throwIfAborted();
  return bitmap;
}

/**
 * Do something to a video and wait for what comes of it.
 * @param {HTMLVideoElement} video
 * @param {string} event
 * @param {() => void} act
 * @param {number} patienceMs
 * @param {AbortSignal} [signal]
 * @returns {Promise<void>} rejects with a MediaError or the signal's reason
 */
function happened(video, event, act, patienceMs, signal) {
  return new Promise((resolve, reject) => {
    const over = new AbortController();
    const once = { signal: over.signal };
    /** @param {() => void} settle */
    const end = (settle) => {
      clearTimeout(timer);
      over.abort();
      settle();
    };
    const broken = (/** @type {string} */ detail) => end(() => reject(new MediaError("unreadable", detail)));
    const timer = setTimeout(() => broken(`no "${event}" within ${patienceMs} ms`), patienceMs);
    video.addEventListener(event, () => end(resolve), once);
    video.addEventListener("error", () => broken(video.error?.message || `error ${video.error?.code}`), once);
    signal?.addEventListener("abort", () => end(() => reject(signal.reason)), once);
    act();
  });
}
