// @ts-check
/** The card's error curve, for a slider. */

/** @typedef {import("./contract.js").ErrorCurve} ErrorCurve */
/** @typedef {import("./contract.js").VerdictRules} VerdictRules */
/** @typedef {{split: "val" | "test", apcer: number, bpcer: number}} Rates Shares 0..1. */

/**
 * The rules with another threshold; those of the contract at the chosen one, to the step.
 * @param {VerdictRules} rules The contract's. @param {ErrorCurve} curve @param {number} at Index in the curve.
 * @returns {VerdictRules}
 */
export function rulesAt(rules, curve, at) {
  return at === curve.chosen ? rules : { ...rules, threshold: curve.threshold[at] };
}

/** @param {ErrorCurve} curve @param {number} at @returns {Rates[]} One entry for each split of the card. */
export function ratesAt(curve, at) {
  return /** @type {const} */ (["val", "test"]).flatMap((split) => {
    const rates = curve[split];
    return rates ? [{ split, apcer: rates.apcer[at], bpcer: rates.bpcer[at] }] : [];
  });
}
