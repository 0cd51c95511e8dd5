/** What a score is: plain arithmetic, without the host. */

export const DAY_MS = 86_400_000;
export const NO_ANSWERS = Object.freeze(Array(11).fill(0));

/**
 * The net promoter score of counts by mark: the share of 9 and 10 less the share of 0 to 6, from -100 to 100.
 * @param {readonly number[]} counts eleven numbers, for the marks 0 to 10
 * @returns {number | null} null where nobody has answered
 */
export function netPromoterScore(counts) {
  const all = total(counts);
  return all ? Math.round(((total(counts.slice(9)) - total(counts.slice(0, 7))) / all) * 100) : null;
}

/** @param {readonly number[]} counts */
export function total(counts) {
  return counts.reduce((sum, count) => sum + count, 0);
}

/**
 * Counts added up mark by mark.
 * @param {readonly (readonly number[])[]} many
 */
export function added(many) {
  return NO_ANSWERS.map((_, mark) => total(many.map((counts) => counts[mark])));
}

/**
 * The Monday (UTC) of a moment's week, `2026-11-23`.
 * @param {number} ms Unix time
 */
export function weekOf(ms) {
  const day = new Date(ms);
  return new Date(ms - ((day.getUTCDay() + 6) % 7) * DAY_MS).toISOString().slice(0, 10);
}

/**
 * The Mondays of the last weeks, oldest first, this week's included.
 * @param {number} ms Unix time
 * @param {number} howMany
 */
export function lastWeeks(ms, howMany) {
  return Array.from({ length: howMany }, (_, back) => weekOf(ms - (howMany - 1 - back) * 7 * DAY_MS));
}
