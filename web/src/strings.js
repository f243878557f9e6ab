// @ts-check
/**
 * What the page says, in the language that is spoken: one dictionary file a language in strings/.
 *
 * Elements with `data-text="key"` get the sentence as text, `data-label="key"` as accessible name.
 */

import { de } from "./strings/de.js";
import { en } from "./strings/en.js";

/** @type {Record<string, Record<string, string>>} Code → dictionary; English is spoken where no other fits. */
export const LANGUAGES = { en, de };

/** @type {Map<string, Intl.NumberFormat>} Kept, because to make one takes as long as to write thirty numbers. */
const formats = new Map();

let spoken = "en";

/** @param {string} code A key of LANGUAGES. */
export function speak(code) {
  spoken = code;
}

/**
 * The language to begin with: the one that the address asks for, else the first that the browser's user reads.
 * @param {string} query As in `location.search`.
 * @param {readonly string[]} wanted As in `navigator.languages`.
 * @returns {string}
 */
export function choice(query, wanted) {
  const codes = [new URLSearchParams(query).get("lang") ?? "", ...wanted].map((tag) => tag.toLowerCase().split("-")[0]);
  return codes.find((code) => Object.hasOwn(LANGUAGES, code)) ?? "en";
}

/**
 * A number as the language writes it.
 * @param {number} value
 * @param {number} [digits] After the decimal sign.
 * @param {number} [least] Digits before it, filled up with zeros.
 * @returns {string}
 */
export function decimal(value, digits = 1, least = 1) {
  const key = `${spoken} ${digits} ${least}`;
  const how = { minimumFractionDigits: digits, maximumFractionDigits: digits, minimumIntegerDigits: least };
  const format = formats.get(key) ?? new Intl.NumberFormat(spoken, { ...how, useGrouping: false });
  formats.set(key, format);
  return format.format(value);
}

/**
 * A sentence with its `{name}`s filled in; an unknown key is an error of the page itself.
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 * @returns {string}
 */
export function say(key, values = {}) {
  const sentence = LANGUAGES[spoken][key];
  if (sentence === undefined) throw new Error(`no sentence for ${key}`);
  return sentence.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}
