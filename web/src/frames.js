// @ts-check
/** A video's frames in order: while one is dealt with, the next is taken and handed on, so that nobody waits for it. */

/**
 * @template T
 * @param {HTMLVideoElement} video
 * @param {AbortSignal} signal Ends the loop; resolves soon after.
 * @param {(timeMs: number) => Promise<T | null>} take Called with the time in ms at which a new frame stood on the screen;
 *   null for a frame that is of no use.
 * @param {(taken: T) => Promise<void>} deal Called once for all that was taken, also after the end, and a second time
 *   before the first has ended; never rejects.
 */
export async function eachFrame(video, signal, take, deal) {
  let [earlier, later] = [Promise.resolve(), Promise.resolve()];
  for (;;) {
    await earlier;
    const timeMs = await nextFrame(video, signal);
    if (signal.aborted) return;
    const taken = await take(timeMs);
    if (taken !== null) [earlier, later] = [later, deal(taken)];
  }
}

/**
 * @param {HTMLVideoElement} video @param {AbortSignal} signal
 * @returns {Promise<number>} The frame's time, or 0 once aborted.
 */
function nextFrame(video, signal) {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(0);
    const cancel = whenNew(video, (now) => {
      signal.removeEventListener("abort", aborted);
      resolve(now);
    });
    const aborted = () => {
      cancel();
      resolve(0);
    };
    signal.addEventListener("abort", aborted, { once: true });
  });
}

/**
 * @param {HTMLVideoElement} video @param {(now: number) => void} found
 * @returns {() => void} Stops waiting.
 */
function whenNew(video, found) {
  if ("requestVideoFrameCallback" in video) {
    const id = video.requestVideoFrameCallback(found);
    return () => video.cancelVideoFrameCallback(id);
  }
  const seen = /** @type {HTMLVideoElement} */ (video).currentTime;
  /** @param {number} now */
  const look = (now) => {
    if (/** @type {HTMLVideoElement} */ (video).currentTime !== seen) found(now);
    else id = requestAnimationFrame(look);
  };
  let id = requestAnimationFrame(look);
  return () => cancelAnimationFrame(id);
}
