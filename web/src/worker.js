// @ts-check
/**
 * The module Worker that sees the frames: it loads ONNX Runtime and both graphs, then judges one bitmap after the other.
 *
 * ONNX Runtime is imported here because its own proxy worker costs a copy and a round trip for every run.
 */

import { standIn } from "./compiled.js";
import { loadContract, VERSION } from "./contract.js";
import { Pipeline } from "./pipeline.js";

/** @typedef {import("./contract.js").Contract} Contract */
/** @typedef {import("./contract.js").FileKey} FileKey */
/** @typedef {import("./resample.js").Frame} Frame */
/** @typedef {"no-webassembly" | "download" | "integrity" | "model"} LoadReason */

/** @typedef {{type: "load", contractUrl: string, threads: number} | {type: "frame", id: number, bitmap: ImageBitmap, timeMs: number, stream: number}} Request */

/**
 * @typedef {object} Seen what the worker adds to a pipeline's observation
 * @property {{grab: number, detect: number, crop: number, network: number}} stages how long each took, ms
 */
/** @typedef {Omit<import("./pipeline.js").Observation, "stages"> & Seen} FrameObservation */

/**
 * @typedef {{type: "progress", loaded: number, total: number}
 *   | {type: "ready", contract: Contract}
 *   | {type: "failed", reason: LoadReason, detail: string}
 *   | {type: "observation", id: number} & FrameObservation
 *   | {type: "failed", id: number, reason: "frame", detail: string}} Reply
 */

/** Why loading failed, in a word that the page has a text for. */
class LoadError extends Error {
  /**
   * @param {LoadReason} reason
   * @param {string} detail
   */
  constructor(reason, detail) {
    super(detail);
    this.reason = reason;
  }
}

/** @type {Pipeline | null} */
let pipeline = null;

/** The last observation of the stream that is being judged. */
let last = { stream: 0, seen: /** @type {import("./pipeline.js").Observation | null} */ (null) };

const canvas = new OffscreenCanvas(1, 1);
// without alpha nothing is multiplied in and divided out again; read back every frame, the pixels stay in main memory
const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });

/** @type {Promise<void>} The judgement of the last frame that came: each waits for the one before. */
let judged = Promise.resolve();

self.onmessage = (/** @type {MessageEvent<Request>} */ { data }) => {
  if (data.type === "load") load(data.contractUrl, data.threads);
  else judged = judged.then(() => observe(data));
};

/** @param {Reply} reply */
function send(reply) {
  self.postMessage(reply);
}

/**
 * @param {string} contractUrl absolute
 * @param {number} threads that ONNX Runtime may use
 */
async function load(contractUrl, threads) {
  try {
    if (typeof WebAssembly !== "object") {
      throw new LoadError("no-webassembly", "this browser has no WebAssembly, or it is switched off");
    }
    const contract = await attempt("download", () => loadContract(contractUrl));
    if (contract.version !== VERSION) {
      throw new LoadError("model", `${contractUrl}: a contract of version ${contract.version}, not ${VERSION}`);
    }
    pipeline = await start(contract, contractUrl, threads);
    send({ type: "ready", contract });
  } catch (error) {
    const reason = error instanceof LoadError ? error.reason : "model";
    send({ type: "failed", reason, detail: message(error) });
  }
}

/**
 * @param {Contract} contract
 * @param {string} contractUrl
 * @param {number} threads
 * @returns {Promise<Pipeline>}
 */
async function start(contract, contractUrl, threads) {
  const total = Object.values(contract.bytes).reduce((sum, bytes) => sum + bytes, 0);
  let loaded = 0;
  const more = (/** @type {number} */ bytes) => {
    loaded += bytes;
    send({ type: "progress", loaded, total });
  };
  const url = (/** @type {FileKey} */ key) => new URL(contract.files[key], contractUrl).href;
  /** @type {Promise<WebAssembly.Module | null>} */
  let compiling = Promise.resolve(null);
  const compile = (/** @type {Response} */ coming) => {
    compiling = WebAssembly.compileStreaming(coming).catch(() => null); // then from the bytes, which say what is wrong
  };
  const watch = (/** @type {FileKey} */ key) =>
    key === "ort_wasm" && "compileStreaming" in WebAssembly ? compile : undefined;
  const once = async (/** @type {FileKey} */ key, /** @type {RequestCache} */ cache) => {
    let come = 0;
    const count = (/** @type {number} */ bytes) => {
      come += bytes;
      more(bytes);
    };
    try {
      return await fetchChecked(url(key), contract.sha256[key], cache, count, watch(key));
    } catch (error) {
      more(-come);
      throw error;
    }
  };
  // what broke off or came damaged, maybe out of the browser's cache, is asked for once more
  const take = (/** @type {FileKey} */ key) => once(key, "default").catch(() => once(key, "reload"));
  const script = async (/** @type {FileKey} */ key) => {
    await take(key); // no byte of it runs before; the import then takes what was just fetched
    return attempt("download", () => import(url(key)));
  };
  const [ort, , wasm, detector, spoofnet] = await Promise.all([
    /** @type {Promise<import("./pipeline.js").Ort>} */ (script("ort")),
    script("ort_loader"), // ONNX Runtime imports it too, then from memory
    take("ort_wasm"),
    take("detector"),
    take("spoofnet"),
  ]);
  ort.env.wasm.numThreads = threads;
  ort.env.wasm.proxy = false;
  ort.env.wasm.wasmPaths = { mjs: url("ort_loader"), wasm: url("ort_wasm") };
  const module = (await compiling) ?? (await attempt("no-webassembly", () => WebAssembly.compile(wasm)));
  ort.env.wasm.wasmBinary = standIn(module);
  try {
    return await Pipeline.create(ort, detector, spoofnet, contract);
  } catch (error) {
    // ONNX Runtime's words for a WebAssembly that does not start, e.g. without SIMD
    throw new LoadError(/no available backend/.test(message(error)) ? "no-webassembly" : "model", message(error));
  }
}

/**
 * @template T
 * @param {LoadReason} reason given to what goes wrong
 * @param {() => Promise<T>} task
 * @returns {Promise<T>}
 */
async function attempt(reason, task) {
  try {
    return await task();
  } catch (error) {
    throw new LoadError(reason, message(error));
  }
}

/**
 * @param {string} url
 * @param {string} expected SHA-256, hex
 * @param {RequestCache} cache
 * @param {(bytes: number) => void} more told of each part that has come
 * @param {(coming: Response) => void} [watch] given the response too, before it is checked
 * @returns {Promise<Uint8Array<ArrayBuffer>>} rejects with a LoadError
 */
async function fetchChecked(url, expected, cache, more, watch) {
  const { subtle } = crypto;
  // outside of https a script cannot hash, but the browser does it on request
  const options = subtle ? { cache } : { cache, integrity: `sha256-${base64(expected)}` };
  const bytes = await attempt("download", () => download(url, options, more, watch));
  const found = subtle ? hex(await subtle.digest("SHA-256", bytes)) : expected;
  if (found === expected) return bytes;
  throw new LoadError("integrity", `${url}: SHA-256 ${found}, not ${expected}`);
}

/**
 * @param {string} url
 * @param {RequestInit} options
 * @param {(bytes: number) => void} more
 * @param {(coming: Response) => void} [watch]
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
async function download(url, options, more, watch) {
  const response = await fetch(url, options);
  if (!response.ok || !response.body) throw new Error(`${url}: HTTP status ${response.status}`);
  watch?.(response.clone());
  const counted = response.body.pipeThrough(
    new TransformStream({
      transform(chunk, controller) {
        more(chunk.byteLength);
        controller.enqueue(chunk);
      },
    }),
  );
  return new Uint8Array(await new Response(counted).arrayBuffer());
}

/** @param {ArrayBuffer} bytes */
function hex(bytes) {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {string} hex */
function base64(hex) {
  return btoa(hex.replace(/../g, (digits) => String.fromCharCode(parseInt(digits, 16))));
}

/** @param {Request & {type: "frame"}} request whose bitmap is closed here */
async function observe({ id, bitmap, timeMs, stream }) {
  try {
    if (!pipeline) throw new Error("a frame came before the networks were ready");
    const started = performance.now();
    const frame = grab(bitmap);
    const grabbed = performance.now() - started;
    const before = stream && stream === last.stream ? last.seen : null;
    const seen = await pipeline.observe(frame, timeMs, before);
    if (stream) last = { stream, seen };
    send({ type: "observation", id, ...seen, stages: { grab: grabbed, ...seen.stages } });
  } catch (error) {
    send({ type: "failed", id, reason: "frame", detail: message(error) });
  } finally {
    bitmap.close();
  }
}

/**
 * The bitmap's own pixels: drawn 1:1, because a canvas does not resize alike everywhere.
 * @param {ImageBitmap} bitmap
 * @returns {Frame}
 */
function grab(bitmap) {
  if (!context) throw new Error("this browser gives no 2d canvas in a worker");
  const { width, height } = bitmap;
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  context.fillRect(0, 0, width, height); // black under what is transparent, not the frame before
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, width, height);
}

/** @param {unknown} error */
function message(error) {
  return error instanceof Error ? error.message : String(error);
}
