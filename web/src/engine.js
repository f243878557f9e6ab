// @ts-check
/**
 * The page's handle on the worker: load once, then frame after frame: while one is judged, the next may wait in the worker.
 */

/** @typedef {import("./contract.js").Contract} Contract */
/** @typedef {import("./worker.js").FrameObservation} Observation */
/** @typedef {import("./worker.js").Reply} Reply */
/** @typedef {import("./worker.js").Request} Request */

/**
 * - no-webassembly: the browser cannot run the networks
 * - download: a file did not come
 * - integrity: a file that came is not the published one, so nothing ran
 * - model: a graph is broken or of another version
 * - frame: this frame could not be read; the next may
 * - busy: one frame is judged and another waits already
 * - worker: the worker broke down; a new engine must be loaded
 * - closed: `close` was called
 * @typedef {"no-webassembly" | "download" | "integrity" | "model" | "frame" | "busy" | "worker" | "closed"} Reason
 */

/** Frames in the worker: the one that is judged, and the one with which it goes on without asking the page. */
export const MOST_IN_FLIGHT = 2;

export class EngineError extends Error {
  /**
   * @param {Reason} reason
   * @param {string} detail for a developer; the page has its own words for each reason
   */
  constructor(reason, detail) {
    super(`${reason}: ${detail}`);
    this.name = "EngineError";
    this.reason = reason;
    this.detail = detail;
  }
}

/**
 * A picture file → its own pixels: upright by its EXIF orientation, colours as stored. Twin: spoofweb/media.py.
 * @param {Blob} file
 * @returns {Promise<ImageBitmap>} rejects with a DOMException where the file is no picture that this browser can read
 */
export function readPicture(file) {
  return createImageBitmap(file, { imageOrientation: "from-image", colorSpaceConversion: "none" });
}

export class Engine {
  /** @type {Worker} */
  #worker;
  /** @type {Map<number, {resolve: (seen: Observation) => void, reject: (error: EngineError) => void}>} by their frame */
  #waiting = new Map();
  /** @type {EngineError | null} why no frame can be judged any more */
  #ended = null;
  #lastId = 0;

  /**
   * Use `Engine.load`.
   * @param {Worker} worker that has answered "ready"
   * @param {Contract} contract
   */
  constructor(worker, contract) {
    this.#worker = worker;
    this.contract = contract;
    worker.onmessage = ({ data }) => this.#answer(data);
    listenForBreakdown(worker, (error) => this.#end(error));
  }

  /**
   * Start a worker with both networks, warmed up.
   * @param {string | URL} contractUrl relative to the page
   * @param {{onProgress?: (bytes: {loaded: number, total: number}) => void}} [options]
   * @returns {Promise<Engine>} rejects with an EngineError
   */
  static load(contractUrl, { onProgress } = {}) {
    return new Promise((resolve, reject) => {
      const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
      const fail = (/** @type {EngineError} */ error) => {
        worker.terminate();
        reject(error);
      };
      listenForBreakdown(worker, fail);
      worker.onmessage = (/** @type {MessageEvent<Reply>} */ { data }) => {
        if (data.type === "progress") onProgress?.({ loaded: data.loaded, total: data.total });
        else if (data.type === "ready") resolve(new Engine(worker, data.contract));
        else if (data.type === "failed") fail(new EngineError(data.reason, data.detail));
      };
      ask(worker, { type: "load", contractUrl: new URL(contractUrl, document.baseURI).href, threads: threads() });
    });
  }

  /**
   * Judge a frame. The bitmap is used up, whatever comes of it.
   * @param {ImageBitmap} bitmap
   * @param {number} timeMs when it was taken, on any clock
   * @param {number} [stream] frames of one stream share a number above 0: each is then judged by one crop in turn, and
   *   the other's logit is that of the frame before (turns.js); 0 for a picture by itself
   * @returns {Promise<Observation>} rejects with an EngineError
   */
  observe(bitmap, timeMs, stream = 0) {
    const full = this.#waiting.size >= MOST_IN_FLIGHT;
    const refused = this.#ended ?? (full ? new EngineError("busy", `${MOST_IN_FLIGHT} frames are in flight`) : null);
    if (refused) {
      bitmap.close();
      return Promise.reject(refused);
    }
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      try {
        ask(this.#worker, { type: "frame", id, bitmap, timeMs, stream }, [bitmap]);
      } catch (error) {
        this.#waiting.delete(id);
        reject(new EngineError("frame", String(error))); // e.g. a bitmap that was closed before
      }
    });
  }

  /** Stop the worker; frames in flight reject with reason "closed". */
  close() {
    this.#end(new EngineError("closed", "the engine was closed"));
  }

  /** @param {Reply} reply */
  #answer(reply) {
    if (!("id" in reply)) return;
    const waiting = this.#waiting.get(reply.id);
    if (!waiting) return;
    this.#waiting.delete(reply.id);
    if (reply.type === "failed") {
      waiting.reject(new EngineError(reply.reason, reply.detail));
    } else {
      const { type, id, ...seen } = reply;
      waiting.resolve(seen);
    }
  }

  /** @param {EngineError} error */
  #end(error) {
    this.#worker.terminate();
    this.#ended ??= error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

/** Two threads where the browser shares memory between them; iOS kills pages that do. */
function threads() {
  const { userAgent, maxTouchPoints, hardwareConcurrency } = navigator;
  const iOS = /iP(hone|ad|od)/.test(userAgent) || (/Mac/.test(userAgent) && maxTouchPoints > 1);
  return self.crossOriginIsolated && !iOS && hardwareConcurrency > 1 ? 2 : 1;
}

/**
 * @param {Worker} worker
 * @param {Request} request
 * @param {Transferable[]} [transfer]
 */
function ask(worker, request, transfer = []) {
  worker.postMessage(request, transfer);
}

/**
 * @param {Worker} worker
 * @param {(error: EngineError) => void} broken
 */
function listenForBreakdown(worker, broken) {
  worker.onerror = (event) => {
    event.preventDefault();
    broken(new EngineError("worker", event.message || "the worker script did not load"));
  };
  worker.onmessageerror = () => broken(new EngineError("worker", "a message could not be read"));
}
