/** The JavaScript half of the fuzzing: one JSON case a line on stdin, one JSON answer a line on stdout. See twins.py. */

import { createHash } from "node:crypto";
import { createInterface } from "node:readline";
import { square } from "../../web/src/crop.js";
import { detectorInput, faces, largest, letterbox, overlapPercent } from "../../web/src/face.js";
import { measures, reasons } from "../../web/src/quality.js";
import { resample } from "../../web/src/resample.js";
import * as verdict from "../../web/src/verdict.js";

const listed = ({ x0, y0, x1, y1, score, keypoints }) => [x0, y0, x1, y1, score, keypoints];
const named = ([x0, y0, x1, y1, score, keypoints]) => ({ x0, y0, x1, y1, score, keypoints });
const bytes = (text) => new Uint8Array(Buffer.from(text, "base64"));
const hash = (data) => createHash("sha256").update(data).digest("hex");
const pixels = ({ rgba, width, height }) => ({ data: bytes(rgba), width, height });

const ANSWERS = {
  resample: ({ frame, box, size }) => hash(resample(pixels(frame), box, ...size)),
  input: ({ frame, rules }) => hash(detectorInput(pixels(frame), rules)),
  letterbox: ({ size, rules }) => Object.values(letterbox(...size, rules)),
  overlap: ({ a, b }) => overlapPercent(a, b),
  faces({ rows, size, percents, rules }) {
    const detections = new Int32Array(bytes(rows).buffer);
    const found = faces(detections, ...size, rules);
    const face = largest(found);
    const crops = face ? percents.map((percent) => Object.values(square(face, ...size, percent, rules.subpixel))) : [];
    return [found.map(listed), face && listed(face), crops];
  },
  crop: ({ box: [x0, y0, x1, y1], size, percent, rules }) =>
    Object.values(square({ x0, y0, x1, y1, score: 0, keypoints: [] }, ...size, percent, rules.subpixel)),
  quality: ({ face, found, size, crop, rules, subpixel }) => [
    Object.values(measures(bytes(crop), rules.blur_block)),
    reasons(named(face), found.map(named), ...size, bytes(crop), rules, subpixel),
  ],
  fixed: ({ logit, rules }) => [verdict.fixed(logit, rules), verdict.word(verdict.fixed(logit, rules), rules)],
  verdict({ frames, rules }) {
    let state = verdict.START;
    return frames.map(([timeMs, box, logit]) => {
      state = verdict.step(state, { timeMs, box, logit }, rules);
      return [state.word, state.mean, state.window, state.box];
    });
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { name, ...given } = JSON.parse(line);
  let answer;
  try {
    answer = { value: ANSWERS[name](given) };
  } catch (error) {
    answer = { error: String(error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
