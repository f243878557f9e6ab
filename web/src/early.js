// @ts-check
/** The page's first engine: boot.js starts it once its own modules are checked, while the page's others still are. */

import { Engine } from "./engine.js";

export const CONTRACT = new URL("contract.json", import.meta.url).href;

/** @typedef {{loaded: number, total: number}} Bytes */

/** @type {Bytes | null} */
let told = null;
/** @type {((bytes: Bytes) => void) | null} */
let listener = null;

const loading = Engine.load(CONTRACT, {
  onProgress: (bytes) => {
    told = bytes;
    listener?.(bytes);
  },
});
loading.catch(() => {}); // said to who asks for it

/** @param {(bytes: Bytes) => void} onProgress Told how far it is, and of all that follows. @returns {Promise<Engine>} */
export function firstEngine(onProgress) {
  listener = onProgress;
  if (told) onProgress(told);
  return loading;
}
