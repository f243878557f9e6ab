/**
 * The original page's loop, made anew: the whole frame drawn to 224 × 224, normalised to planes of floats in
 * JavaScript and judged, all on the main thread. One crop, no face detector, a frame's word is its own.
 */

const SIDE = 224;
const MEAN = [0.485, 0.456, 0.406];
const STD = [0.229, 0.224, 0.225];

/** @returns {Promise<(video: HTMLVideoElement) => () => Promise<Record<string, number>>>} */
export async function create() {
  const { files } = await (await fetch("config.json")).json();
  const url = (/** @type {string} */ path) => new URL(path, import.meta.url).href;
  const ort = await import(url(files.ort));
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = { mjs: url(files.ort_loader), wasm: url(files.ort_wasm) };
  const session = await ort.InferenceSession.create(url("original.onnx"), { executionProviders: ["wasm"] });
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIDE;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
  return (video) => async () => {
    const began = performance.now();
    context.drawImage(video, 0, 0, SIDE, SIDE);
    const { data } = context.getImageData(0, 0, SIDE, SIDE);
    const grabbed = performance.now();
    const planes = new Float32Array(3 * SIDE * SIDE);
    for (let i = 0; i < SIDE * SIDE; i++) {
      for (let c = 0; c < 3; c++) planes[c * SIDE * SIDE + i] = (data[i * 4 + c] / 255 - MEAN[c]) / STD[c];
    }
    const pixels = new ort.Tensor("float32", planes, [1, 3, SIDE, SIDE]);
    const made = performance.now();
    const { logit } = await session.run({ pixels });
    const judged = performance.now();
    const live = 1 / (1 + Math.exp(-logit.data[0]));
    if (!Number.isFinite(live)) throw new Error("the network gave no number");
    return { grab: grabbed - began, crop: made - grabbed, network: judged - made, verdict: performance.now() - judged };
  };
}
