/** What a note is: nothing here needs the host. */

export const PREFIX = 'note/';
export const SHOWN = 50;
const LONGEST = 280;
const END_OF_TIME = 1e13; // milliseconds

/**
 * The text of a note, or null where it is none.
 * @param {unknown} text
 */
export function checked(text) {
  if (typeof text !== 'string') return null;
  const trimmed = text.trim();
  return trimmed.length >= 1 && trimmed.length <= LONGEST ? trimmed : null;
}

/**
 * An id that falls as time goes on: storage lists by key in rising order, so the newest comes first.
 * @param {number} nowMs
 * @param {bigint} random
 */
export function newestFirst(nowMs, random) {
  return `${String(END_OF_TIME - nowMs).padStart(13, '0')}-${(random % 16n ** 8n).toString(16).padStart(8, '0')}`;
}
