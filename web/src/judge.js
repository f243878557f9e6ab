// @ts-check
/** The engine's life on the page: loaded, asked for one judgement after the other, replaced when it breaks. */

import { Engine, EngineError, MOST_IN_FLIGHT } from "./engine.js";
import { rulesAt } from "./threshold.js";
import * as verdict from "./verdict.js";

/** @typedef {import("./engine.js").Observation} Observation */
/** @typedef {import("./contract.js").VerdictRules} VerdictRules */

const CONTRACT = new URL("contract.json", import.meta.url).href;

export class Judge {
  /** @type {Promise<Engine | null>} null once loading has failed, which is then a state. */
  ready;
  #store;
  #broken;
  /** @type {Promise<unknown>[]} The last judgements asked for, as many as the engine takes at once. */
  #last = Array(MOST_IN_FLIGHT).fill(Promise.resolve());
  /** @type {Engine | null} The one that is in use. */
  #engine = null;
  #spare = true;

  /** @param {import("./store.js").Store} store @param {() => void} broken Called when there is no engine any more. */
  constructor(store, broken) {
    this.#store = store;
    this.#broken = broken;
    this.ready = this.#load();
  }

  restart() {
    this.#spare = true;
    this.ready = this.#load();
  }

  /** @returns {Promise<Engine | null>} */
  async #load() {
    const store = this.#store;
    store.update({ engine: { name: "loading", loaded: 0, total: 0, reason: "", detail: "" } });
    /** @param {{loaded: number, total: number}} progress */
    const onProgress = ({ loaded, total }) => store.update({ engine: { ...store.state.engine, loaded, total } });
    try {
      const loaded = await Engine.load(CONTRACT, { onProgress });
      this.#engine = loaded;
      const { verdict: rules, curve } = loaded.contract;
      const ready = { ...store.state.engine, name: /** @type {const} */ ("ready") };
      if (store.state.rules) store.update({ engine: ready }); // a threshold of the user's own outlives the engine
      else store.update({ engine: ready, rules, curve, at: curve?.chosen ?? 0 });
      return loaded;
    } catch (error) {
      this.fail(error);
      return null;
    }
  }

  /** The engine is of no more use: it is replaced once, the next time this is a state.
   * @param {unknown} error @param {Engine | null} [broken] Left out: the one in use. One that is no longer in use has
   *   been dealt with. @returns {boolean} Another engine is on its way.
   */
  fail(error, broken = this.#engine) {
    if (broken !== this.#engine) return this.#store.state.engine.name !== "failed";
    this.#engine = null;
    const { reason, detail } = error instanceof EngineError ? error : new EngineError("worker", String(error));
    this.ready.then((engine) => engine?.close());
    if (this.#spare && this.#store.state.engine.name === "ready") {
      this.#spare = false;
      this.ready = this.#load();
      this.#store.update({ judged: null });
      return true;
    }
    this.ready = Promise.resolve(null);
    this.#store.update({ engine: { ...this.#store.state.engine, name: "failed", reason, detail } });
    this.#broken();
    return false;
  }

  /** Judges one after the other, and hands the engine no more than it takes.
   * @param {Engine} engine @param {ImageBitmap} bitmap @param {number} timeMs
   * @param {number} [stream] See engine.js. @returns {Promise<Observation>}
   */
  observe(engine, bitmap, timeMs, stream) {
    const judgement = this.#last[0].then(() => engine.observe(bitmap, timeMs, stream));
    this.#last = [...this.#last.slice(1), judgement.catch(() => null)];
    return judgement;
  }

  /** Judge at another threshold. @param {number} at Index in the curve. */
  async moveThreshold(at) {
    const engine = await this.ready;
    const { curve } = this.#store.state;
    if (engine && curve) this.#store.update({ at, rules: rulesAt(engine.contract.verdict, curve, at) });
  }
}

/** An observation as the verdict takes it; a refused face has no logit.
 * @param {Observation} seen @param {VerdictRules} rules @param {boolean} [refused] For a reason outside of the frame.
 * @returns {verdict.Judged}
 */
export function asJudged({ timeMs, face, logit, reasons }, rules, refused = false) {
  if (!face || logit === null) return { timeMs, box: null, logit: null };
  const accepted = reasons.length === 0 && !refused;
  return { timeMs, box: [face.x0, face.y0, face.x1, face.y1], logit: accepted ? verdict.fixed(logit, rules) : null };
}

/** The verdict on a picture by itself.
 * @param {verdict.Judged} judged @param {VerdictRules} rules @returns {{word: verdict.Word, mean: number | null}}
 */
export function alone({ box, logit }, rules) {
  if (logit !== null) return { word: verdict.word(logit, rules), mean: logit };
  return { word: box ? verdict.UNSURE : verdict.NONE, mean: null };
}

/** An observation and the verdict on it as the screen takes them.
 * @param {Observation} seen @param {{word: verdict.Word, mean: number | null}} said @param {string} reason
 * @param {import("./contract.js").Contract} contract @returns {import("./store.js").Judged}
 */
export function asShown(seen, { word, mean }, reason, { verdict: rules, detector: { subpixel } }) {
  const { faces, face, width, height, crops, evidence } = seen;
  const live = mean === null ? null : verdict.probability(mean, rules);
  // the message from the worker keeps `face` the same object as in `faces`
  const judged = face ? faces.indexOf(face) : -1;
  const boxes = faces.map(({ x0, y0, x1, y1 }) => ({
    x0: x0 / subpixel, y0: y0 / subpixel, x1: x1 / subpixel, y1: y1 / subpixel,
  }));
  const cells = evidence ? evidence.length / crops.length : 0;
  const heat = evidence && !seen.reasons.length ? { values: evidence.subarray(0, cells), crop: crops[0] } : null;
  return { word, live, reason, boxes, judged, width, height, heat };
}

/** A verdict as the trace takes it. @param {number} timeMs @param {{word: verdict.Word, mean: number | null}} said
 * @param {boolean} refused @returns {import("./trace.js").Point}
 */
export function asPoint(timeMs, { word, mean }, refused) {
  const silent = refused || mean === null || word === verdict.NONE;
  return { timeMs, mean: silent ? null : mean, said: silent ? verdict.NONE : word };
}
