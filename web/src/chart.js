// @ts-check
/** Draws the chart of the verdicts so far, and lists those of a video. */

import { drawn, element, renewed, write } from "./dom.js";

/** @typedef {import("./chronicle.js").Chart} Chart */

const WIDTH = 300; // of the drawing, in its own units
const HEIGHT = 64;
const STRIP = 14;
const CALM_MS = 1000; // between two drawings for those who want little motion
const calm = matchMedia("(prefers-reduced-motion: reduce)");

let drawnAt = -Infinity;

/** @param {Chart | null} chart */
export function showChart(chart) {
  element("trace").hidden = !chart;
  if (!chart) {
    drawnAt = -Infinity;
    return;
  }
  const now = performance.now();
  if (calm.matches && !chart.strip && now - drawnAt < CALM_MS) return;
  drawnAt = now;
  write("trace-title", chart.title);
  write("trace-from", chart.from);
  write("trace-to", chart.to);
  const { lines, gaps, band, strip } = chart.drawing;
  const plot = element("trace-plot");
  plot.setAttribute("aria-label", chart.label);
  plot.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT + (chart.strip ? STRIP + 4 : 0)}`);
  const [top, bottom] = band.map((y) => y * HEIGHT);
  plot.replaceChildren(
    drawn("rect", "zone-live", { x: 0, y: 0, width: WIDTH, height: top }),
    drawn("rect", "zone-attack", { x: 0, y: bottom, width: WIDTH, height: HEIGHT - bottom }),
    ...gaps.map(([from, to]) => bar("gap", from, to, 0, HEIGHT)),
    drawn("path", "bounds", { d: `M0 ${top}H${WIDTH}M0 ${bottom}H${WIDTH}` }),
    ...lines.map((line) => drawn("path", "curve", { d: along(line) })),
    ...ends(lines),
    ...(chart.strip ? strip.map(({ from, to, said }) => bar(`said ${said}`, from, to, HEIGHT + 4, STRIP)) : []),
  );
}

/** @param {import("./chronicle.js").RunText[]} runs */
export function showRuns(runs) {
  const list = element("runs");
  list.hidden = runs.length === 0;
  if (!renewed(list, runs)) return;
  list.replaceChildren(
    ...runs.map(({ time, said, word }) => {
      const entry = document.createElement("li");
      entry.dataset.said = said;
      const name = document.createElement("strong");
      name.textContent = word;
      entry.append(`${time} `, name);
      return entry;
    }),
  );
}

/** @param {string} kind @param {number} from @param {number} to Shares of the width. @param {number} y @param {number} height */
function bar(kind, from, to, y, height) {
  const x = Math.max(0, from) * WIDTH;
  return drawn("rect", kind, { x, y, width: Math.max(0, Math.min(1, to) * WIDTH - x), height });
}

/** @param {[number, number][]} line */
function along(line) {
  return line.map(([x, y], i) => `${i ? "L" : "M"}${(x * WIDTH).toFixed(1)} ${(y * HEIGHT).toFixed(1)}`).join("");
}

/** A dot where the newest line ends, and one for each line of a single point. @param {[number, number][][]} lines */
function ends(lines) {
  return lines
    .filter((line, i) => line.length === 1 || i === lines.length - 1)
    .map((line) => line[line.length - 1])
    .map((point) => drawn("path", "end", { d: `${along([point])}h0` })); // round caps, whatever the drawing's stretch
}
