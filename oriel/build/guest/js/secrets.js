/** Secrets that the tenant's administrator has set for this install. Needs `secrets.get`. */
import * as wit from 'oriel:extension/secrets@1.0.0';
import { call } from './errors.js';

/**
 * The value; null where no secret has that name. `ReferenceOnly` where it may not be read.
 * @param {string} name
 * @returns {string | null}
 */
export function get(name) {
  return call(() => wit.get(name)) ?? null;
}

/**
 * The names there are, ordered.
 * @returns {string[]}
 */
export function names() {
  return call(() => wit.names());
}

/**
 * What to write in an outgoing header so that the host fills the secret in: the guest never sees it.
 * @param {string} name
 */
export function reference(name) {
  return `{{secret:${name}}}`;
}
