/**
 * Operations of the product around the extension. Needs `host.call`, with its `operations`.
 *
 * ```js
 * const { orders } = host.call('orders.list', { state: 'open' });
 * ```
 */
import * as wit from 'oriel:extension/host@1.0.0';
import { call as checked } from './errors.js';

/**
 * Carry out an operation and return its answer. Throws `Denied` where it is not granted or the product does not allow
 * it to this user, `Invalid` where the input is not what it takes, `Unavailable` or `FetchFailed` where the product was
 * not reached or not in time, `OperationFailed` where it refused in another way or failed.
 * @param {string} operation one that manifest.json asks for and the tenant has granted
 * @param {unknown} [value] the input, anything that can be written as JSON
 * @returns {any}
 */
export function call(operation, value = null) {
  return JSON.parse(checked(() => wit.call(operation, JSON.stringify(value))));
}
