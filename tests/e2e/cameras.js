/**
 * Makes a front and a rear camera of Chromium's one fake camera, lets a test refuse or delay them, and keeps books on
 * all that the page does with them. Runs in the page before its own scripts.
 */
(() => {
  const books = {
    asked: [], // the video constraints of each getUserMedia
    tracks: [], // all that were ever handed out
    waiting: new Set(), // requests for a video frame that are not answered yet
    mostWaiting: 0,
    said: [], // after each change of the page's attributes: what they were, the frame's time, was a face marked
    timeMs: 0, // when the frame that was judged last was taken; the next may have been taken since
    refusals: [], // names of the errors of the next requests; "" lets one pass
    delayMs: 0, // how long an answer takes
    permission: "granted",
    noise: true, // as of a real camera, which never sends the same picture twice
    live: () => books.tracks.filter((track) => track.readyState === "live").length,
  };
  window.books = books;

  const cameras = { front: "user", rear: "environment" };
  const devices = navigator.mediaDevices;
  if (!devices) return;
  const getUserMedia = devices.getUserMedia.bind(devices);
  devices.getUserMedia = async ({ video }) => {
    books.asked.push(video);
    const refusal = books.refusals.shift();
    await new Promise((done) => setTimeout(done, books.delayMs));
    if (refusal) throw new DOMException("refused for the test", refusal);
    const { deviceId, facingMode, ...wishes } = video;
    const id = deviceId?.exact ?? (facingMode === "environment" ? "rear" : "front");
    const stream = await getUserMedia({ video: wishes });
    for (const track of stream.getTracks()) {
      const settings = track.getSettings.bind(track);
      track.getSettings = () => ({ ...settings(), deviceId: id, facingMode: cameras[id] });
      books.tracks.push(track);
    }
    return stream;
  };
  devices.enumerateDevices = async () =>
    Object.keys(cameras).map((id) => ({ kind: "videoinput", deviceId: id, label: `The ${id} camera`, groupId: "" }));
  navigator.permissions.query = async () => ({ state: books.permission });

  const video = HTMLVideoElement.prototype;
  const { requestVideoFrameCallback, cancelVideoFrameCallback } = video;
  video.requestVideoFrameCallback = function (found) {
    const id = requestVideoFrameCallback.call(this, (...told) => {
      books.waiting.delete(id);
      found(...told);
    });
    books.waiting.add(id);
    books.mostWaiting = Math.max(books.mostWaiting, books.waiting.size);
    return id;
  };
  video.cancelVideoFrameCallback = function (id) {
    books.waiting.delete(id);
    cancelVideoFrameCallback.call(this, id);
  };

  window.Worker = class extends Worker {
    constructor(...how) {
      super(...how);
      this.addEventListener("message", ({ data }) => (books.timeMs = data.timeMs ?? books.timeMs));
    }
  };

  // the page itself reads pixels only to find out whether its camera has frozen
  const canvas = OffscreenCanvasRenderingContext2D.prototype;
  const { getImageData } = canvas;
  let grain = 0;
  canvas.getImageData = function (...place) {
    const image = getImageData.apply(this, place);
    if (books.noise) image.data[0] ^= ++grain & 1;
    return image;
  };

  const attributes = ["state", "verdict", "live", "frames"].map((name) => `data-${name}`);
  new MutationObserver(() => {
    const { state, verdict, live, frames } = document.documentElement.dataset;
    const face = document.querySelector("#overlay .box") !== null;
    books.said.push({ state, verdict, live, frames: Number(frames), timeMs: books.timeMs, face });
  }).observe(document, { attributes: true, subtree: true, attributeFilter: attributes });
})();
