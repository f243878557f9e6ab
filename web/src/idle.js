// @ts-check
/** Acts once there has been no sign of anyone for a while. */

export class Idle {
  #ms;
  #act;
  #last = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {number} ms @param {() => void} act */
  constructor(ms, act) {
    this.#ms = ms;
    this.#act = act;
  }

  /** Someone is there. */
  sign() {
    this.#last = performance.now();
  }

  start() {
    this.stop();
    this.sign();
    this.#wait(this.#ms);
  }

  stop() {
    clearTimeout(this.#timer);
  }

  /** @param {number} ms */
  #wait(ms) {
    this.#timer = setTimeout(() => {
      const left = this.#last + this.#ms - performance.now();
      if (left > 0) this.#wait(left);
      else this.#act();
    }, ms);
  }
}
