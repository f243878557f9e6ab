// @ts-check
/** The ways by which a file comes to the page: chosen, dropped, pasted, or one of the samples. */

/** @param {HTMLInputElement} input @param {(file: File) => void} open @param {(url: string, title: string) => void} sample */
export function takeFiles(input, open, sample) {
  input.addEventListener("change", () => {
    const [chosen] = input.files ?? [];
    if (chosen) open(chosen);
    input.value = ""; // so that the same file can be chosen again
  });

  /** @param {DragEvent} event */
  const carriesFile = (event) => event.dataTransfer?.types.includes("Files") ?? false;
  const dropping = (/** @type {boolean} */ is) => document.documentElement.classList.toggle("dropping", is);
  addEventListener("dragover", (event) => {
    if (!carriesFile(event)) return;
    event.preventDefault();
    dropping(true);
  });
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) dropping(false);
  });
  addEventListener("drop", (event) => {
    if (!carriesFile(event)) return;
    event.preventDefault();
    dropping(false);
    const [dropped] = event.dataTransfer?.files ?? [];
    if (dropped) open(dropped);
  });

  addEventListener("paste", (event) => {
    const [pasted] = event.clipboardData?.files ?? [];
    if (!pasted) return;
    event.preventDefault();
    open(pasted);
  });

  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("button[data-sample]") : null;
    if (button instanceof HTMLElement) sample(button.dataset.sample ?? "", button.innerText.trim());
  });
}
