/**
 * The npm peer `@vladmandic/human` with its face detector and its antispoof and liveness networks, nothing else, on the
 * backend that needs no GPU. Every frame is judged: its cache of results from frames before is off.
 */

import { Human } from "./human/human.esm.js";

/** @returns {Promise<(video: HTMLVideoElement) => () => Promise<Record<string, number>>>} */
export async function create() {
  const off = { enabled: false };
  const human = new Human({
    backend: "wasm",
    wasmPath: new URL("human/", import.meta.url).href,
    modelBasePath: new URL("human/", import.meta.url).href,
    debug: false,
    cacheModels: false,
    cacheSensitivity: 0,
    filter: off,
    gesture: off,
    body: off,
    hand: off,
    object: off,
    segmentation: off,
    face: {
      enabled: true,
      detector: { rotation: false, maxDetected: 1, skipFrames: 0, skipTime: 0 },
      mesh: off,
      attention: off,
      iris: off,
      emotion: off,
      description: off,
      antispoof: { enabled: true, skipFrames: 0, skipTime: 0 },
      liveness: { enabled: true, skipFrames: 0, skipTime: 0 },
    },
  });
  await human.load();
  return (video) => async () => {
    const { error, face, performance: spent } = await human.detect(video);
    if (error || !face[0]?.real || !face[0]?.live) throw new Error(error ?? "Human judged no face");
    if (human.tf.getBackend() !== "wasm") throw new Error(`Human runs on ${human.tf.getBackend()}, not on wasm`);
    return { grab: spent.inputProcess ?? 0, detect: spent.face ?? 0 };
  };
}
