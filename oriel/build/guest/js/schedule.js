/**
 * When the extension's own endpoints are called. Needs `schedule.manage`.
 *
 * ```js
 * schedule.put('digest', { cron: '0 8 * * mon-fri', timezone: 'Europe/Berlin', path: '/digest' });
 * ```
 *
 * A schedule of the same name is changed. Those of the manifest and of the tenant's administrator can be seen, not
 * changed.
 */
import * as wit from 'oriel:extension/schedule@1.0.0';
import { call } from './errors.js';

/**
 * @typedef {object} Schedule
 * @property {string} id
 * @property {string} name
 * @property {string} cron
 * @property {string} timezone
 * @property {string} method
 * @property {string} path
 * @property {Record<string, unknown> | null} payload
 * @property {boolean} enabled
 * @property {'once' | 'skip'} missed
 * @property {boolean} overlap
 * @property {boolean} foreign the manifest's or the administrator's
 * @property {number[]} nextRuns the next five times, Unix time in milliseconds; none while it is off
 */

/**
 * Make a schedule, or change the one of that name. Throws `Denied`, `Invalid`, `LimitExceeded`, `Unavailable`, and
 * `Conflict` where the name is somebody else's.
 * @param {string} name
 * @param {{cron: string, path: string, method?: string, timezone?: string, payload?: Record<string, unknown>,
 *   enabled?: boolean, missed?: 'once' | 'skip', overlap?: boolean}} of
 * @returns {Schedule}
 */
export function put(name, { cron, path, method = 'POST', timezone = 'UTC', payload, enabled = true, missed = 'once', overlap = false }) {
  const sent = payload === undefined ? undefined : JSON.stringify(payload);
  return read(call(() => wit.put({ name, cron, timezone, method, path, payload: sent, enabled, missed, overlap })));
}

/**
 * Whether there was one. (`delete` is a word of the language.)
 * @param {string} name
 * @returns {boolean}
 */
export function remove(name) {
  return call(() => wit.delete(name));
}

/** Every schedule of the install, by name. @returns {Schedule[]} */
export function list() {
  return call(() => wit.list()).map(read);
}

/** @param {any} info @returns {Schedule} */
function read({ id, definition, foreign, nextRuns }) {
  const { payload, ...rest } = definition;
  return { id, ...rest, payload: payload ? JSON.parse(payload) : null, foreign, nextRuns: [...nextRuns].map(Number) };
}
