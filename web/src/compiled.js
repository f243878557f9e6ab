// @ts-check
/**
 * ONNX Runtime takes its WebAssembly as bytes, and compiles them on every visit. A module that the browser compiled while
 * it was downloaded is kept compiled for the next visit; so ONNX Runtime gets bytes that only stand for such a module.
 */

/**
 * @param {WebAssembly.Module} module
 * @returns {ArrayBuffer} which WebAssembly.instantiate takes from now on in place of the module's own bytes
 */
export function standIn(module) {
  const token = new ArrayBuffer(8);
  const plain = /** @type {(source: unknown, imports?: WebAssembly.Imports) => Promise<any>} */ (WebAssembly.instantiate);
  const instantiate = async (/** @type {unknown} */ source, /** @type {WebAssembly.Imports} */ imports) => {
    const meant = (ArrayBuffer.isView(source) ? source.buffer : source) === token;
    return meant ? { module, instance: await plain(module, imports) } : plain(source, imports);
  };
  WebAssembly.instantiate = /** @type {typeof WebAssembly.instantiate} */ (instantiate);
  return token;
}
