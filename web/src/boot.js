// @ts-check
/**
 * The page's entry: compares every module with what was published, those of the worker included, before any of them runs.
 *
 * The page's import map has the hashes. Browsers apply it to the page's own modules only, and older ones not at all.
 */

const root = document.documentElement;
const map = document.querySelector("script[type=importmap]")?.textContent ?? "{}";

/** @param {[string, string]} entry URL and integrity @returns {Promise<unknown>} rejects where other bytes come */
async function check([url, integrity]) {
  // a damaged copy in the browser's cache is replaced
  const response = await fetch(url, { integrity }).catch(() => fetch(url, { integrity, cache: "reload" }));
  return response.arrayBuffer();
}

async function start() {
  await Promise.all(Object.entries(JSON.parse(map).integrity).map(check));
  await import("./main.js");
  document.getElementById("unstarted")?.remove();
}

start().catch((error) => {
  root.dataset.state = "unstarted";
  console.error(error);
});
