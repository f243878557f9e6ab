// @ts-check
/** The few ways in which the page's elements are written to. */

const SVG = "http://www.w3.org/2000/svg";

/** @param {string} id @returns {HTMLElement} */
export function element(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page lacks #${id}`);
  return found;
}

/** Text into an element, which is hidden while there is none. @param {string} id @param {string} text */
export function write(id, text) {
  const place = element(id);
  if (place.textContent !== text) place.textContent = text;
  place.hidden = text === "";
}

/**
 * @param {string} name @param {string} kind Its class. @param {Record<string, string | number>} attributes
 * @returns {SVGElement}
 */
export function drawn(name, kind, attributes) {
  const made = document.createElementNS(SVG, name);
  made.setAttribute("class", kind);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}

/** @type {WeakMap<Element, string>} */
const built = new WeakMap();

/** Has what an element is built from changed since the last time? @param {Element} place @param {unknown} from */
export function renewed(place, from) {
  const now = JSON.stringify(from);
  if (built.get(place) === now) return false;
  built.set(place, now);
  return true;
}
