// @ts-check
/** The camera, picture or video, and what is drawn over it. */

import { drawn, element } from "./dom.js";
import { draw } from "./heat.js";

/** @typedef {import("./screen.js").Screen} Screen */
/** @typedef {import("./store.js").Box} Box */

export class Stage {
  video = /** @type {HTMLVideoElement} */ (element("video"));
  picture = /** @type {HTMLImageElement} */ (element("picture"));
  film = /** @type {HTMLCanvasElement} */ (element("film"));
  #place = element("stage");
  #overlay = element("overlay");
  #heat = /** @type {HTMLCanvasElement} */ (element("heat"));

  constructor() {
    this.video.addEventListener("resize", () => this.#shape(this.video.videoWidth, this.video.videoHeight));
    this.picture.addEventListener("load", () => this.#shape(this.picture.naturalWidth, this.picture.naturalHeight));
  }

  /** @param {Screen} screen */
  show({ stage, mirrored, waiting, marked, target, heat }) {
    this.#place.dataset.shows = stage;
    this.#place.classList.toggle("mirrored", mirrored);
    this.#place.setAttribute("aria-busy", String(waiting));
    this.video.hidden = stage !== "video";
    this.picture.hidden = stage !== "picture";
    this.film.hidden = stage !== "film";
    if (stage === "film") this.#shape(this.film.width, this.film.height);
    this.#mark(marked, target);
    const evidence = heat.on ? (marked?.heat ?? null) : null;
    this.#heat.hidden = !evidence;
    if (evidence && marked) draw(this.#heat, evidence, marked.width, marked.height);
  }

  /** Where the samples are tapped, a phone shows neither the stage nor the verdict below it. */
  comeIntoView() {
    this.#place.scrollIntoView({ block: "nearest" });
  }

  /** @param {Screen["marked"]} marked @param {Screen["target"]} target */
  #mark(marked, target) {
    this.#overlay.toggleAttribute("hidden", !marked);
    if (!marked) return;
    this.#overlay.setAttribute("viewBox", `0 0 ${marked.width} ${marked.height}`);
    const boxes = marked.boxes.flatMap((box, i) =>
      i === marked.judged
        ? [drawn("path", "under", { d: corners(box) }), drawn("path", "box", { d: corners(box) })]
        : [drawn("path", "other", { d: outline(box) })],
    );
    this.#overlay.replaceChildren(...(target ? ovals(target) : []), ...boxes);
  }

  /** @param {number} width @param {number} height */
  #shape(width, height) {
    if (width && height) this.#place.style.setProperty("--ratio", `${width} / ${height}`);
  }
}

/** @param {import("./screen.js").Target} target */
function ovals({ tone, cx, cy, rx, ry }) {
  const place = { cx, cy, rx, ry };
  return [drawn("ellipse", `oval-under ${tone}`, place), drawn("ellipse", `oval ${tone}`, place)];
}

/** @param {Box} box @returns {string} */
function outline({ x0, y0, x1, y1 }) {
  return `M${x0} ${y0}H${x1}V${y1}H${x0}Z`;
}

/** Only the four corners, so that the face stays free. @param {Box} box @returns {string} */
function corners({ x0, y0, x1, y1 }) {
  const arm = Math.min(x1 - x0, y1 - y0) / 4;
  const bend = arm / 2;
  /** @param {number} x @param {number} y @param {1 | -1} sx @param {1 | -1} sy */
  const corner = (x, y, sx, sy) =>
    `M${x} ${y + sy * arm}V${y + sy * bend}Q${x} ${y} ${x + sx * bend} ${y}H${x + sx * arm}`;
  return corner(x0, y0, 1, 1) + corner(x1, y0, -1, 1) + corner(x1, y1, -1, -1) + corner(x0, y1, 1, -1);
}
