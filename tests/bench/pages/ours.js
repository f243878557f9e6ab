/** The site's own modules in the page's own loop (see session.js), so that it can also be run without a camera's pace. */

const { app } = await (await fetch("config.json")).json();
const { Engine } = await import(`../${app}/engine.js`);
const verdict = await import(`../${app}/verdict.js`);

/** @returns {Promise<(video: HTMLVideoElement) => () => Promise<Record<string, number>>>} */
export async function create() {
  const engine = await Engine.load(new URL(`../${app}/contract.json`, import.meta.url));
  const rules = engine.contract.verdict;
  let said = verdict.START;
  const judge = async (/** @type {HTMLVideoElement} */ video) => {
    const { bitmap, taken, tookMs } = await take(video);
    return { taken, tookMs, seen: await engine.observe(bitmap, Math.round(taken), 1) };
  };
  /** @type {ReturnType<typeof judge> | null} the next frame is in the worker while one is judged */
  let ahead = null;
  return (video) => async () => {
    const awaited = ahead ?? judge(video);
    ahead = judge(video);
    const { taken, tookMs, seen } = await awaited;
    const { stages, face, logit, reasons } = seen;
    const judged = performance.now();
    const box = face && [face.x0, face.y0, face.x1, face.y1];
    const counts = face && !reasons?.length;
    said = verdict.step(said, { timeMs: Math.round(taken), box, logit: counts ? verdict.fixed(logit, rules) : null }, rules);
    return { bitmap: tookMs, ...stages, verdict: performance.now() - judged };
  };
}

/** @param {HTMLVideoElement} video */
async function take(video) {
  const began = performance.now();
  const bitmap = await createImageBitmap(video);
  const taken = performance.now();
  return { bitmap, taken, tookMs: taken - began };
}
