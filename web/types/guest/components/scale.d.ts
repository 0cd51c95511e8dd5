/** The arithmetic of a chart: round steps, places, labels that do not meet. */
/**
 * Round values from at most the lowest to at least the highest, about `count` of them; nought is always within.
 *
 * @param {number} lowest
 * @param {number} highest
 * @param {number} [count]
 * @returns {number[]}
 */
export function ticks(lowest: number, highest: number, count?: number): number[];
/**
 * Which of `count` labels to show, so that each has `wanted` pixels: every one, or every second, or …
 *
 * @param {number} count
 * @param {number} width pixels for all of them
 * @param {number} wanted pixels for one
 */
export function everyNth(count: number, width: number, wanted: number): number;
/**
 * Runs of values without a gap, as indexes.
 *
 * @param {(number | null)[]} values
 * @returns {number[][]}
 */
export function runs(values: (number | null)[]): number[][];
/** @param {unknown} value @returns {value is number} */
export function isNumber(value: unknown): value is number;
