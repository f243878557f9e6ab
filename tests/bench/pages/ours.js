/** The site's own modules in the page's own loop (see session.js), so that it can also be run without a camera's pace. */

const { app } = await (await fetch("config.json")).json();
const { Engine } = await import(`../${app}/engine.js`);
const verdict = await import(`../${app}/verdict.js`);

/** @returns {Promise<(video: HTMLVideoElement) => () => Promise<Record<string, number>>>} */
export async function create() {
  const engine = await Engine.load(new URL(`../${app}/contract.json`, import.meta.url));
  const rules = engine.contract.verdict;
  let said = verdict.START;
  /** @type {ReturnType<typeof take> | null} the next frame is taken while one is judged */
  let ahead = null;
  return (video) => async () => {
    const { bitmap, taken, tookMs } = await (ahead ?? take(video));
    ahead = take(video);
    const { stages, face, logit, reasons } = await engine.observe(bitmap, Math.round(taken), 1);
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
