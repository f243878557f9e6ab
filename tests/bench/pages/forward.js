/**
 * The graphs alone, in a module Worker as on our page. Messages in: what to load, then how often to run what. The
 * graphs take turns, so that whatever else the machine does hits all of them.
 */

/** @typedef {{name: string, url: string, input: string, type: "uint8" | "float32", shape: number[]}} Job */

/** @type {Record<string, () => Promise<unknown>>} */
const runs = {};

self.onmessage = async ({ data }) => {
  try {
    self.postMessage("files" in data ? await load(data) : await measure(data));
  } catch (error) {
    self.postMessage({ error: String(error) });
  }
};

/**
 * @param {{files: Record<string, string>, threads: number, jobs: Job[]}} given
 * @returns {Promise<{createMs: number}>} from ONNX Runtime's bytes in memory to all sessions run once
 */
async function load({ files, threads, jobs }) {
  const ort = await import(files.ort);
  const bytes = async (/** @type {string} */ url) => new Uint8Array(await (await fetch(url)).arrayBuffer());
  const graphs = await Promise.all(jobs.map((job) => bytes(job.url)));
  ort.env.wasm.numThreads = threads;
  ort.env.wasm.wasmPaths = { mjs: files.ort_loader, wasm: files.ort_wasm };
  ort.env.wasm.wasmBinary = (await bytes(files.ort_wasm)).buffer;
  const began = performance.now();
  for (const [i, { name, input, type, shape }] of jobs.entries()) {
    const session = await ort.InferenceSession.create(graphs[i], { executionProviders: ["wasm"] });
    const length = shape.reduce((product, size) => product * size, 1);
    const values = type === "uint8" ? new Uint8Array(length) : new Float32Array(length);
    for (let at = 0; at < length; at++) values[at] = (Math.imul(at, 0x9e3779b1) >>> 24) / (type === "uint8" ? 1 : 255);
    runs[name] = () => session.run({ [input]: new ort.Tensor(type, values, shape) });
    await runs[name]();
  }
  return { createMs: performance.now() - began };
}

/**
 * @param {{times: number}} given
 * @returns {Promise<Record<string, number[]>>} by graph, ms of each run
 */
async function measure({ times }) {
  /** @type {Record<string, number[]>} */
  const spent = Object.fromEntries(Object.keys(runs).map((name) => [name, []]));
  for (let i = 0; i < times; i++) {
    for (const [name, run] of Object.entries(runs)) {
      const began = performance.now();
      await run();
      spent[name].push(performance.now() - began);
    }
  }
  return spent;
}
