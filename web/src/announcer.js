// @ts-check
/** Tells screen readers what changed, without chatter: a text is written once it has stood for a while. */

export class Announcer {
  #write;
  #settleMs;
  #gapMs;
  #said = "";
  #saidAt = -Infinity;
  #wanted = "";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {(text: string) => void} write Into an aria-live element.
   * @param {number} settleMs A text that changes again sooner is never said.
   * @param {number} gapMs The least time between two texts.
   */
  constructor(write, settleMs = 800, gapMs = 2500) {
    this.#write = write;
    this.#settleMs = settleMs;
    this.#gapMs = gapMs;
  }

  /** @param {string} text What holds now. */
  hold(text) {
    if (text === this.#wanted) return;
    this.#wanted = text;
    clearTimeout(this.#timer);
    const wait = Math.max(this.#settleMs, this.#saidAt + this.#gapMs - performance.now());
    this.#timer = setTimeout(() => {
      if (text === this.#said) return;
      this.#said = text;
      this.#saidAt = performance.now();
      this.#write(text);
    }, wait);
  }
}
