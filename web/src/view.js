// @ts-check
/** Writes a screen into the page; decides nothing. */

import { Announcer } from "./announcer.js";
import { showChart, showRuns } from "./chart.js";
import { element, renewed, write } from "./dom.js";
import { Stage } from "./stage.js";
import { LANGUAGES, say } from "./strings.js";

/** @typedef {import("./screen.js").Screen} Screen */
/** @typedef {import("./screen.js").Action} Action */

/**
 * @typedef {object} Wishes What the page's user can ask for.
 * @property {(act: string) => void} act A button with `data-act` was pressed.
 * @property {(deviceId: string) => void} pick A camera was chosen from the list.
 * @property {(at: number) => void} slide The threshold was moved.
 * @property {(on: boolean) => void} heat The evidence was switched.
 * @property {(code: string) => void} language
 */

export class View {
  stage = new Stage();
  #root = document.documentElement;
  #announcer = new Announcer((text) => (element("announcement").textContent = text));
  #slider = /** @type {HTMLInputElement} */ (element("threshold-slider"));
  #heat = /** @type {HTMLInputElement} */ (element("heat-switch"));
  #cameras = /** @type {HTMLSelectElement} */ (element("cameras"));
  #picking = false; // a camera from the list, and nothing else was pressed since

  /** @param {Wishes} wishes */
  constructor({ act, pick, slide, heat, language }) {
    const languages = element("languages");
    if (!languages.childElementCount) languages.append(...Object.keys(LANGUAGES).map(languageLink));
    document.addEventListener("click", (event) => {
      const pressed = event.target instanceof Element ? event.target.closest("button[data-act], a[data-language]") : null;
      if (!(pressed instanceof HTMLElement)) return;
      this.#picking = false;
      if (pressed.dataset.act) return act(pressed.dataset.act);
      event.preventDefault();
      language(pressed.dataset.language ?? "");
    });
    this.#cameras.addEventListener("change", () => {
      this.#picking = true;
      pick(this.#cameras.value);
    });
    this.#slider.addEventListener("input", () => slide(Number(this.#slider.value)));
    this.#heat.addEventListener("change", () => heat(this.#heat.checked));
  }

  /** The sentences that stand in the page itself, in a language. @param {string} code Spoken by strings.js. */
  translate(code) {
    this.#root.lang = code;
    document.title = say("title");
    for (const e of document.querySelectorAll("[data-text]")) e.textContent = say(e.getAttribute("data-text") ?? "");
    for (const e of document.querySelectorAll("[data-label]")) {
      e.setAttribute("aria-label", say(e.getAttribute("data-label") ?? ""));
    }
    this.stage.picture.alt = say("picture.alt");
    document.querySelector("meta[name=description]")?.setAttribute("content", say("description"));
    const links = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-language]"));
    for (const link of links) link.ariaCurrent = link.dataset.language === code ? "true" : null;
  }

  /** @param {Screen} screen @param {number} frames Camera frames judged so far. */
  show(screen, frames) {
    const focused = document.activeElement;
    const { name, verdict, progress } = screen;
    const isNew = name !== this.#root.dataset.state;
    Object.assign(this.#root.dataset, {
      state: name,
      verdict: verdict.name,
      live: verdict.live === null ? "" : verdict.live.toFixed(6),
      reason: verdict.reason,
      frames: String(frames),
    });
    this.stage.show(screen);
    this.#panel(screen.panel);
    this.#verdict(verdict);
    showChart(screen.chart);
    showRuns(screen.runs);
    this.#film(screen.film);
    this.#settings(screen);
    this.#list(screen.list);
    element("controls").hidden = screen.controls.length === 0;
    this.#buttons(element("control-actions"), screen.controls);
    write("progress-text", progress.text);
    element("progress").hidden = progress.share === null;
    /** @type {HTMLProgressElement} */ (element("progress")).value = progress.share ?? 1;
    write("update-text", screen.update);
    element("update").hidden = screen.update === "";
    this.#announcer.hold(screen.announcement);
    if (isNew && screen.asked) this.stage.comeIntoView();
    // A pressed button that is gone would leave the keyboard at the top of the page.
    if (focused && (!focused.isConnected || focused.closest("[hidden]"))) this.#focusMainWay();
  }

  #focusMainWay() {
    const list = this.#picking ? [this.#cameras] : [];
    const ways = [...list, ...document.querySelectorAll("#panel-actions > *, #control-actions > *")];
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
    write("panel-ways", panel.ways);
  }

  /** @param {Screen["verdict"]} verdict */
  #verdict(verdict) {
    const given = verdict.word !== "";
    element("verdict-card").dataset.tone = verdict.reason ? "hint" : verdict.name;
    element("verdict-line").hidden = element("meter").hidden = !given;
    element("legend").hidden = given;
    write("verdict-text", verdict.text);
    write("note", verdict.note);
    write("latency", verdict.latency);
    if (!given) return;
    element("verdict-icon").setAttribute("href", `#icon-${verdict.icon}`);
    write("verdict-word", verdict.word);
    write("percent", verdict.percent);
    const shown = verdict.live !== null && verdict.reason === "";
    const mark = element("scale-mark");
    mark.hidden = !shown;
    mark.style.left = `${100 * (verdict.live ?? 0)}%`;
    const [low, high] = verdict.unsure ?? [0, 0];
    const zone = element("scale-unsure");
    zone.style.left = `${100 * low}%`;
    zone.style.width = `${100 * (high - low)}%`;
    element("scale").style.setProperty("--bound", `${50 * (low + high)}%`);
  }

  /** @param {Screen["film"]} film */
  #film(film) {
    element("film-progress").hidden = !film;
    write("film-text", film?.text ?? "");
    /** @type {HTMLProgressElement} */ (element("film-share")).value = film?.share ?? 0;
  }

  /** @param {Screen} screen */
  #settings({ heat, threshold }) {
    element("evidence").hidden = !heat.shown;
    element("heat-legend").hidden = !heat.on;
    this.#heat.checked = heat.on;
    element("threshold").hidden = !threshold;
    if (!threshold) return;
    this.#slider.max = String(threshold.last);
    this.#slider.value = String(threshold.at);
    this.#slider.setAttribute("aria-valuetext", threshold.value);
    write("threshold-state", threshold.state);
    const reset = element("threshold-reset");
    if (!threshold.moved && document.activeElement === reset) this.#slider.focus({ preventScroll: true });
    reset.toggleAttribute("disabled", !threshold.moved);
    const rows = element("threshold-rows");
    if (!renewed(rows, threshold.rows)) return;
    rows.replaceChildren(...threshold.rows.map(({ split, apcer, bpcer }) => tableRow(split, [apcer, bpcer])));
  }

  /** @param {Screen["list"]} list */
  #list({ cameras, current, note }) {
    const select = this.#cameras;
    element("list").hidden = cameras.length === 0;
    write("list-note", note);
    if (renewed(select, cameras)) {
      select.replaceChildren(...cameras.map(({ id, label }) => new Option(label, id)));
    }
    if (select.value !== current) select.value = current;
  }

  /** @param {Element} place @param {Action[]} actions @param {"" | "https" | "tab"} [link] Stands first. */
  #buttons(place, actions, link = "") {
    if (!renewed(place, [actions, link, this.#root.lang])) return;
    const buttons = actions.map(({ act, label }) => {
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.act = act;
      button.textContent = label;
      return button;
    });
    place.replaceChildren(...(link ? [samePage(link)] : []), ...buttons);
  }
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

/** @param {string} code @returns {HTMLAnchorElement} */
function languageLink(code) {
  const link = document.createElement("a");
  link.textContent = LANGUAGES[code].language;
  link.dataset.language = link.lang = link.hreflang = code;
  link.href = `?lang=${code}`;
  return link;
}

/** @param {string} head @param {string[]} values @returns {HTMLTableRowElement} */
function tableRow(head, values) {
  const row = document.createElement("tr");
  const name = document.createElement("th");
  name.scope = "row";
  name.textContent = head;
  row.append(name);
  for (const value of values) row.insertCell().textContent = value;
  return row;
}
