// @ts-check
/** Keeps the site for use without a network, and tells of a newer version of it. */

/**
 * Register the service worker. Where there is none (an insecure page, private windows of some browsers, a full disk),
 * nothing happens: the page works as long as there is a network.
 *
 * Call it once the networks have come: then their files are taken from the browser's cache and not downloaded twice.
 * @param {(apply: () => void) => void} onUpdate told of a newer version that is ready, maybe more than once; `apply`
 *   reloads the page with it. Until then the page stays whole on the version that it was loaded from.
 */
export async function watchForUpdate(onUpdate) {
  const container = navigator.serviceWorker;
  if (!container) return;
  let applied = false;
  container.addEventListener("controllerchange", () => {
    if (applied) location.reload();
    else onUpdate(() => location.reload()); // pressed in another tab
  });
  const registration = await container.register("sw.js").catch(() => null);
  if (!registration) return;

  /** @param {ServiceWorker | null} fresh */
  const announce = (fresh) => {
    if (fresh?.state !== "installed" || !container.controller) return; // without one this page is the first version
    onUpdate(() => {
      applied = true;
      fresh.postMessage("activate");
    });
  };
  announce(registration.waiting);
  const follow = () => {
    const coming = registration.installing;
    coming?.addEventListener("statechange", () => announce(coming));
  };
  follow();
  registration.addEventListener("updatefound", follow);
}
