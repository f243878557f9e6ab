/** The browser's half of test_soak.py: many frames through one engine, served beside the page's modules. */

import { Engine } from "./engine.js";
import * as verdict from "./verdict.js";

const CONTRACT = new URL("contract.json", import.meta.url).href;
const tally = new BroadcastChannel("tally");

let engine;
let frames;
let state = verdict.START;

/** Load the engine and the frames {url, width, height} that give RGB bytes. */
export async function begin(entries) {
  engine = await Engine.load(CONTRACT);
  frames = await Promise.all(entries.map(fetchFrame));
}

async function fetchFrame({ url, width, height }) {
  const rgb = new Uint8Array(await (await fetch(url)).arrayBuffer());
  const data = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let i = 0; i < width * height; i++) data.set(rgb.subarray(3 * i, 3 * i + 3), 4 * i);
  return new ImageData(data, width, height);
}

/** Judge the frames from number `first` to below `end`, `gapMs` of their clock apart. */
export async function run(first, end, gapMs) {
  const words = {};
  let faces = 0;
  let open = 0;
  for (let number = first; number < end; number++) {
    const bitmap = await createImageBitmap(frames[number % frames.length]);
    const { face, logit, timeMs } = await engine.observe(bitmap, number * gapMs);
    if (bitmap.width) open += 1; // it was copied instead of handed over, so nobody closes it
    const { x0, y0, x1, y1 } = face ?? {};
    const steps = face && verdict.fixed(logit, engine.contract.verdict);
    state = verdict.step(state, { timeMs, box: face && [x0, y0, x1, y1], logit: steps }, engine.contract.verdict);
    words[state.word] = (words[state.word] ?? 0) + 1;
    faces += face ? 1 : 0;
  }
  return { words, faces, open };
}

/** What the worker has counted: bitmaps received and closed, bytes of WebAssembly memory. */
export function counted() {
  return new Promise((resolve) => {
    tally.onmessage = ({ data }) => resolve(data);
    tally.postMessage("how many?");
  });
}
