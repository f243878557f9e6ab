// @ts-check
/**
 * The service worker: keeps one whole version of the site, so that it works without a network and never mixes two.
 *
 * A classic script at the site's root. The build puts the list of files before it (spoofweb/offline.py), so that any
 * change of the site is a change of this script, by which browsers notice a new version.
 */

/**
 * The parts of ServiceWorkerGlobalScope in use; its own types clash with those of a page.
 * @typedef {{waitUntil(done: Promise<unknown>): void}} Lasting
 * @typedef {{request: Request, respondWith(answer: Promise<Response>): void}} Fetching
 * @typedef {object} Scope
 * @property {{version: string, files: Record<string, string>}} SITE path → integrity (`sha256-…`) of every file
 * @property {{scope: string}} registration
 * @property {() => Promise<void>} skipWaiting
 * @property {(type: string, listener: (event: any) => void) => void} addEventListener
 */
(() => {
  const scope = /** @type {Scope} */ (/** @type {unknown} */ (self));
  const { version, files } = scope.SITE;
  const root = scope.registration.scope;
  const family = `spoofweb ${root} `; // the storage is shared by all sites of the host, e.g. of one GitHub account
  const name = family + version;

  // with these two headers a page may use threads; a host of static files cannot send them
  const ISOLATION = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

  scope.addEventListener("install", (/** @type {Lasting} */ event) => event.waitUntil(install()));
  scope.addEventListener("activate", (/** @type {Lasting} */ event) => event.waitUntil(forgetOthers()));
  scope.addEventListener("message", (/** @type {MessageEvent} */ { data }) => {
    if (data === "activate") scope.skipWaiting();
  });
  scope.addEventListener("fetch", (/** @type {Fetching} */ event) => {
    const path = pathOf(event.request);
    if (path !== null && Object.hasOwn(files, path)) event.respondWith(answer(event.request, path));
  });

  /** All files or none: a version with a hole is worse than none. */
  async function install() {
    try {
      const cache = await caches.open(name);
      await Promise.all(Object.keys(files).map((path) => keep(cache, path)));
    } catch (error) {
      await caches.delete(name);
      throw error;
    }
  }

  /** @param {Cache} cache @param {string} path */
  async function keep(cache, path) {
    const response = await download(path);
    const headers = new Headers(ISOLATION);
    headers.set("Content-Type", response.headers.get("Content-Type") ?? "application/octet-stream");
    headers.set("X-Content-Type-Options", "nosniff");
    await cache.put(new URL(path, root), new Response(response.body, { headers }));
  }

  /**
   * The file with just the bytes that the build listed; a rejection otherwise. What stands in a folder has a hash in its
   * name, so the copy that the page has just loaded is taken from the browser's own cache.
   * @param {string} path
   */
  async function download(path) {
    const url = new URL(path, root);
    const integrity = files[path];
    const first = path.includes("/") ? "default" : "no-cache";
    return fetch(url, { integrity, cache: first }).catch(() => fetch(url, { integrity, cache: "reload" }));
  }

  async function forgetOthers() {
    const others = (await caches.keys()).filter((other) => other.startsWith(family) && other !== name);
    await Promise.all(others.map((other) => caches.delete(other)));
  }

  /** Path of a request below the site's root, its query left out; null where it is none of ours. @param {Request} request */
  function pathOf({ method, url }) {
    const { origin, pathname } = new URL(url);
    const plain = origin + pathname;
    if (method !== "GET" || !plain.startsWith(root)) return null;
    return plain.slice(root.length) || "index.html";
  }

  /** @param {Request} request @param {string} path @returns {Promise<Response>} */
  async function answer(request, path) {
    const cache = await caches.open(name);
    return (await cache.match(new URL(path, root))) ?? fetch(request); // browsers may evict
  }
})();
