/** Numbers, sizes and times in words, in the reader's language. */

const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const fine = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 3 });
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const SIZES = ['bytes', 'KB', 'MB', 'GB', 'TB'];

/** @param {number} value */
export function count(value) {
  return whole.format(value);
}

/** @param {number} bytes */
export function size(bytes) {
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), SIZES.length - 1);
  return `${power ? fine.format(bytes / 1000 ** power) : whole.format(bytes)} ${SIZES[power]}`;
}

/** @param {number | null | undefined} milliseconds */
export function duration(milliseconds) {
  if (milliseconds === null || milliseconds === undefined) return '–';
  if (milliseconds >= 1000) return `${fine.format(milliseconds / 1000)} s`;
  return `${fine.format(milliseconds)} ms`;
}

/** @param {number} at Unix milliseconds */
export function time(at) {
  return moment.format(at);
}

/** @param {number} at Unix milliseconds */
export function hour(at) {
  return clock.format(at);
}

/** How a content hash or a key is shown where nobody needs all of it. @param {string} digest */
export function short(digest) {
  return digest.startsWith('sha256:') ? `${digest.slice(0, 19)}…` : digest;
}
