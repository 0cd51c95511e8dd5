/** Who is asking, for whom, with which settings; the clock and randomness of the host. Always there. */
import * as wit from 'oriel:extension/context@1.0.0';

/**
 * @typedef {object} Info
 * @property {string} requestId
 * @property {string} executionId
 * @property {string} tenantId
 * @property {string} extensionId
 * @property {string} installId
 * @property {string} version
 * @property {'http' | 'event' | 'schedule'} trigger
 * @property {number} remainingMs milliseconds left, when it was asked for, until the execution is stopped
 */

/**
 * The ids of this execution and the time it has left.
 * @returns {Info}
 */
export function get() {
  return wit.get();
}

/**
 * One value of the install's configuration, of the type that `fallback` has. Text comes as it is; everything else
 * was written as JSON.
 * @template T
 * @param {string} key
 * @param {T} fallback
 * @returns {T}
 */
export function setting(key, fallback) {
  const raw = wit.config(key);
  if (raw === undefined || raw === null) return fallback;
  if (typeof fallback === 'string') return /** @type {any} */ (raw);
  try {
    const value = JSON.parse(raw);
    return typeof value === typeof fallback ? value : fallback;
  } catch {
    return fallback;
  }
}

/**
 * The whole configuration as it is stored: values that are not text are JSON text.
 * @returns {Record<string, string>}
 */
export function settings() {
  return Object.fromEntries(wit.configAll());
}

/** Unix time in milliseconds; `Date.now()` is the same. */
export function nowMs() {
  return Number(wit.nowMs());
}

/** 64 random bits from the host's secure source. @returns {bigint} */
export function randomU64() {
  return wit.randomU64();
}

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/** 26 characters, unique, ordered by time: a good storage key. */
export function newId() {
  const stamp = (BigInt(nowMs()) << 80n) | (randomU64() << 16n) | (randomU64() & 0xffffn);
  return Array.from({ length: 26 }, (_, at) => ALPHABET[Number((stamp >> BigInt(125 - 5 * at)) & 31n)]).join('');
}
