/**
 * Runs in the built page before its own scripts: presses its start button, writes down when it says what, and marks each
 * judged frame. It changes nothing that the page sees.
 */
(() => {
  /** @type {{first: Record<string, number>, count: number, frames: {atMs: number, stages: Record<string, number>}[]}} */
  const seen = { first: {}, count: 0, frames: [] };
  Object.assign(window, { seen });
  const first = (/** @type {string} */ what) => (seen.first[what] ??= performance.now());

  let pressed = false;
  new MutationObserver(() => {
    const button = /** @type {HTMLButtonElement | null} */ (document.querySelector("button[data-act=start]"));
    if (button && !button.disabled && !pressed) {
      pressed = true;
      first("pressed");
      button.click();
    }
    const root = document.documentElement; // another one than before the page was parsed
    if (Number(root.dataset.frames) > 0) first("judged");
    if (root.dataset.live) first("live");
    if (root.dataset.verdict === "live" || root.dataset.verdict === "attack") first("word");
  }).observe(document, { attributes: true, subtree: true, childList: true });

  const Plain = window.Worker;
  window.Worker = class extends Plain {
    /** @param {string | URL} url @param {WorkerOptions} [options] */
    constructor(url, options) {
      super(url, options);
      this.addEventListener("message", ({ data }) => {
        if (data.type === "ready") first("ready");
        if (data.type !== "observation") return;
        performance.mark("frame");
        seen.count += 1;
        seen.frames.push({ atMs: performance.now(), stages: data.stages });
      });
    }
  };
})();
