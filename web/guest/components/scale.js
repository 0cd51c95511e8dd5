/** The arithmetic of a chart: round steps, places, labels that do not meet. */

/**
 * Round values from at most the lowest to at least the highest, about `count` of them; nought is always within.
 *
 * @param {number} lowest
 * @param {number} highest
 * @param {number} [count]
 * @returns {number[]}
 */
export function ticks(lowest, highest, count = 4) {
  const [low, high] = [Math.min(0, lowest), Math.max(0, highest)];
  const rough = (high - low || 1) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.floor(low / step);
  const last = Math.max(Math.ceil(high / step), first + 1);
  return Array.from({ length: last - first + 1 }, (_, index) => Number(((first + index) * step).toPrecision(12)));
}

/**
 * Which of `count` labels to show, so that each has `wanted` pixels: every one, or every second, or …
 *
 * @param {number} count
 * @param {number} width pixels for all of them
 * @param {number} wanted pixels for one
 */
export function everyNth(count, width, wanted) {
  return Math.max(1, Math.ceil((count * wanted) / Math.max(width, 1)));
}

/**
 * Runs of values without a gap, as indexes.
 *
 * @param {(number | null)[]} values
 * @returns {number[][]}
 */
export function runs(values) {
  /** @type {number[][]} */
  const found = [];
  values.forEach((value, index) => {
    if (!isNumber(value)) return;
    if (index > 0 && isNumber(values[index - 1]) && found.length) found[found.length - 1].push(index);
    else found.push([index]);
  });
  return found;
}

/** @param {unknown} value @returns {value is number} */
export function isNumber(value) {
  return typeof value === 'number' && Number.isFinite(value);
}
