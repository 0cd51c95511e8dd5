/**
 * Numbers about what the extension does. Needs `metrics.emit`.
 *
 * Measuring never fails a request: where the tenant has not granted it, or the execution's allowance is used up,
 * nothing happens. Only a name or a value that is never allowed throws `Invalid`. Labels are for what has few values,
 * such as an outcome or a region; never for ids.
 */
import * as wit from 'oriel:extension/metrics@1.0.0';
import { Denied, LimitExceeded, call } from './errors.js';

/** @typedef {Record<string, unknown>} Labels */

/**
 * Add to a counter; `by` is 0 or more. `metrics.count('orders_scored', 1, {outcome: 'late'})`.
 * @param {string} name
 * @param {number} [by]
 * @param {Labels} [labels]
 */
export function count(name, by = 1, labels = {}) {
  sample(() => wit.count(name, by, lines(labels)));
}

/**
 * Set a gauge; the last value of a request counts.
 * @param {string} name
 * @param {number} value
 * @param {Labels} [labels]
 */
export function gauge(name, value, labels = {}) {
  sample(() => wit.gauge(name, value, lines(labels)));
}

/**
 * One value of a histogram: a duration in seconds, a size in bytes.
 * @param {string} name
 * @param {number} value
 * @param {Labels} [labels]
 */
export function observe(name, value, labels = {}) {
  sample(() => wit.observe(name, value, lines(labels)));
}

/** @param {() => void} emit */
function sample(emit) {
  try {
    call(emit);
  } catch (error) {
    if (!(error instanceof Denied || error instanceof LimitExceeded)) throw error;
  }
}

/** @param {Labels} labels */
function lines(labels) {
  return Object.entries(labels).map(([name, value]) => ({ name, value: String(value) }));
}
