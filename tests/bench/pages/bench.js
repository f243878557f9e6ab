/**
 * One contender in a page of its own: `bench.html?contender=ours&width=640&height=480`. `bench.run` judges frames of
 * the camera and gives a row for each.
 */

const given = new URLSearchParams(location.search);
const video = /** @type {HTMLVideoElement} */ (document.getElementById("video"));

/** What comes before a frame is taken. Even "nothing" lets the browser in, as a page that never does shows nothing. */
const waits = {
  nothing: () =>
    new Promise((done) => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = done;
      port2.postMessage(null);
    }),
  display: () => new Promise(requestAnimationFrame),
  camera: () => new Promise((done) => video.requestVideoFrameCallback(done)),
};

/**
 * @param {number} frames
 * @param {keyof typeof waits} wait
 * @returns {Promise<{seconds: number, rows: Record<string, number>[]}>} per frame: `total` and each stage, ms
 */
async function run(frames, wait) {
  const judge = await ready;
  const rows = [];
  const began = performance.now();
  while (rows.length < frames) {
    await waits[wait]();
    performance.mark("frame");
    const started = performance.now();
    const stages = await judge();
    rows.push({ total: performance.now() - started, ...stages });
  }
  performance.mark("frame");
  return { seconds: (performance.now() - began) / 1000, rows };
}

/** Camera and contender side by side, then one frame. @returns {Promise<() => Promise<Record<string, number>>>} */
async function start() {
  const { create } = await import(`./${given.get("contender")}.js`);
  const exactly = (/** @type {string} */ side) => ({ exact: Number(given.get(side)) });
  const wishes = { width: exactly("width"), height: exactly("height"), frameRate: { ideal: 60 } };
  const [stream, make] = await Promise.all([navigator.mediaDevices.getUserMedia({ video: wishes }), create()]);
  video.srcObject = stream;
  await video.play();
  const judge = make(video);
  await judge();
  firstMs = performance.now();
  return judge;
}

let firstMs = 0;
const ready = start();
Object.assign(window, { bench: { run, ready: async () => (await ready, firstMs) } });
