// @ts-check
/** Writes a screen into the page; decides nothing. */

import { Announcer } from "./announcer.js";
import { say } from "./strings.js";

/** @typedef {import("./screen.js").Screen} Screen */
/** @typedef {import("./screen.js").Action} Action */
/** @typedef {import("./screen.js").Judged} Judged */
/** @typedef {import("./screen.js").Box} Box */

const SVG = "http://www.w3.org/2000/svg";

export class View {
  #root = document.documentElement;
  /** @type {Map<Element, string>} What a list of buttons or options was built from. */
  #built = new Map();
  #announcer = new Announcer((text) => (element("announcement").textContent = text));

  /**
   * @param {(act: string) => void} act Called for a pressed button with its `data-act`.
   * @param {(deviceId: string) => void} pick Called for a camera chosen from the list.
   */
  constructor(act, pick) {
    for (const e of document.querySelectorAll("[data-text]")) e.textContent = say(e.getAttribute("data-text") ?? "");
    for (const e of document.querySelectorAll("[data-label]")) {
      e.setAttribute("aria-label", say(e.getAttribute("data-label") ?? ""));
    }
    this.video = /** @type {HTMLVideoElement} */ (element("video"));
    this.picture = /** @type {HTMLImageElement} */ (element("picture"));
    this.picture.alt = say("picture.alt");
    this.video.addEventListener("resize", () => this.#shape(this.video.videoWidth, this.video.videoHeight));
    this.picture.addEventListener("load", () => this.#shape(this.picture.naturalWidth, this.picture.naturalHeight));
    document.addEventListener("click", (event) => {
      const button = event.target instanceof Element ? event.target.closest("button[data-act]") : null;
      if (button) act(button.getAttribute("data-act") ?? "");
    });
    const list = /** @type {HTMLSelectElement} */ (element("cameras"));
    list.addEventListener("change", () => pick(list.value));
  }

  /** @param {Screen} screen @param {number} frames Camera frames judged so far. */
  show(screen, frames) {
    const focused = document.activeElement;
    const { name, stage, panel, verdict, list, progress } = screen;
    Object.assign(this.#root.dataset, {
      state: name,
      verdict: verdict.name,
      live: verdict.live === null ? "" : verdict.live.toFixed(6),
      frames: String(frames),
    });
    element("stage").dataset.shows = stage;
    element("stage").classList.toggle("mirrored", screen.mirrored);
    element("stage").setAttribute("aria-busy", String(screen.waiting));
    this.video.hidden = stage !== "video";
    this.picture.hidden = stage !== "picture";
    this.#panel(panel);
    this.#overlay(screen.marked);
    this.#verdict(verdict);
    element("controls").hidden = screen.controls.length === 0;
    this.#list(list);
    this.#buttons(element("control-actions"), screen.controls);
    write("progress-text", progress.text);
    element("progress").hidden = progress.share === null;
    /** @type {HTMLProgressElement} */ (element("progress")).value = progress.share ?? 1;
    this.#announcer.hold(screen.announcement);
    // A pressed button that is gone would leave the keyboard at the top of the page.
    if (focused && (!focused.isConnected || focused.closest("[hidden]"))) this.#focusMainWay();
  }

  #focusMainWay() {
    const ways = [...document.querySelectorAll("#panel-actions > *, #control-actions > *")];
    const way = ways.find((e) => !e.closest("[hidden]"));
    if (way instanceof HTMLElement) way.focus({ preventScroll: true });
  }

  /** @param {Screen["panel"]} panel */
  #panel(panel) {
    element("panel").hidden = !panel;
    this.#buttons(element("panel-actions"), panel?.actions ?? [], panel?.link);
    if (!panel) return;
    element("panel-icon").setAttribute("href", `#icon-${panel.icon}`);
    write("panel-title", panel.title);
    write("panel-text", panel.text);
    write("panel-detail", panel.detail);
  }

  /** @param {Screen["verdict"]} verdict */
  #verdict(verdict) {
    const given = verdict.name !== "";
    element("verdict-line").hidden = element("meter").hidden = !given;
    element("legend").hidden = given;
    write("verdict-text", verdict.text);
    write("note", verdict.note);
    write("latency", verdict.latency);
    if (!given) return;
    element("verdict-icon").setAttribute("href", `#icon-${verdict.name}`);
    write("verdict-word", verdict.word);
    write("percent", verdict.percent);
    const mark = element("scale-mark");
    mark.hidden = verdict.live === null;
    mark.style.left = `${100 * (verdict.live ?? 0)}%`;
    const [low, high] = verdict.unsure ?? [0, 0];
    const zone = element("scale-unsure");
    zone.style.left = `${100 * low}%`;
    zone.style.width = `${100 * (high - low)}%`;
    element("scale").style.setProperty("--bound", `${50 * (low + high)}%`);
  }

  /** @param {Screen["list"]} list */
  #list({ cameras, current, note }) {
    const select = /** @type {HTMLSelectElement} */ (element("cameras"));
    element("list").hidden = cameras.length === 0;
    write("list-note", note);
    if (this.#renew(select, cameras)) {
      select.replaceChildren(...cameras.map(({ id, label }) => new Option(label, id)));
    }
    if (select.value !== current) select.value = current;
  }

  /** @param {Element} place @param {Action[]} actions @param {"" | "https" | "tab"} [link] Stands first. */
  #buttons(place, actions, link = "") {
    if (!this.#renew(place, [actions, link])) return;
    const buttons = actions.map(({ act, label }) => {
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.act = act;
      button.textContent = label;
      return button;
    });
    place.replaceChildren(...(link ? [samePage(link)] : []), ...buttons);
  }

  /** Has what an element is built from changed since the last time? @param {Element} place @param {unknown} from */
  #renew(place, from) {
    const now = JSON.stringify(from);
    if (this.#built.get(place) === now) return false;
    this.#built.set(place, now);
    return true;
  }

  /** @param {Judged | null} judged */
  #overlay(judged) {
    const overlay = element("overlay");
    overlay.toggleAttribute("hidden", !judged);
    if (!judged) return;
    overlay.setAttribute("viewBox", `0 0 ${judged.width} ${judged.height}`);
    const paths = judged.boxes.flatMap((box, i) =>
      i === judged.judged ? [path("under", corners(box)), path("box", corners(box))] : [path("other", outline(box))],
    );
    overlay.replaceChildren(...paths);
  }

  /** @param {number} width @param {number} height */
  #shape(width, height) {
    if (width && height) element("stage").style.setProperty("--ratio", `${width} / ${height}`);
  }
}

/** @param {string} id @returns {HTMLElement} */
function element(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page lacks #${id}`);
  return found;
}

/** Text into an element, which is hidden while there is none. @param {string} id @param {string} text */
function write(id, text) {
  const place = element(id);
  if (place.textContent !== text) place.textContent = text;
  place.hidden = text === "";
}

/** @param {"https" | "tab"} how @returns {HTMLAnchorElement} This page at https, or in a tab of its own. */
function samePage(how) {
  const link = document.createElement("a");
  link.className = "button";
  link.textContent = say(`act.${how}`);
  link.href = how === "https" ? location.href.replace(/^http:/, "https:") : location.href;
  if (how === "tab") link.target = "_blank";
  return link;
}

/** @param {string} kind @param {string} d @returns {SVGPathElement} */
function path(kind, d) {
  const made = document.createElementNS(SVG, "path");
  made.setAttribute("class", kind);
  made.setAttribute("d", d);
  return made;
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
