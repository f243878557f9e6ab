// Writes what src/kernel.js holds, made from src/kernel.wat: `npm run kernel`. tests/test_kernel.py compares the two.
import { readFileSync, writeFileSync } from "node:fs";
import wabt from "wabt";

const source = new URL("src/kernel.wat", import.meta.url);
const target = process.argv[2] ?? new URL("src/kernel.js", import.meta.url);
const { parseWat } = await wabt();
const { buffer } = parseWat("kernel.wat", readFileSync(source, "utf8"), { simd: true }).toBinary({});
const lines = Buffer.from(buffer).toString("base64").match(/.{1,100}/g);
writeFileSync(
  target,
  `// @ts-check
/** Made from kernel.wat by \`npm run kernel\`: a WebAssembly module, base64. */
export const KERNEL =
${lines.map((line) => `  "${line}"`).join(" +\n")};
`,
);
