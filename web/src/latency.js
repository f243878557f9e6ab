// @ts-check
/** The time that judging takes, over the newest pictures. */

export class Latency {
  /** @type {number[]} */
  #newest = [];

  /** @param {number} size How many pictures count. */
  constructor(size) {
    this.size = size;
  }

  /** @param {number} ms */
  add(ms) {
    this.#newest.push(ms);
    if (this.#newest.length > this.size) this.#newest.shift();
  }

  /** How many there are. */
  get count() {
    return this.#newest.length;
  }

  /** The upper median in ms; null while there is nothing. */
  get median() {
    const sorted = [...this.#newest].sort((a, b) => a - b);
    return sorted.length ? sorted[sorted.length >> 1] : null;
  }
}
