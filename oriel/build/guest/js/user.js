/** The user in front of the screen. Needs `user.read`. */
import * as wit from 'oriel:extension/user@1.0.0';
import { Unavailable, call } from './errors.js';

/**
 * @typedef {object} User
 * @property {string} id
 * @property {string | null} name
 * @property {string | null} email
 * @property {string[]} roles
 * @property {string} label what to call the user on a screen
 */

/**
 * The user; null where no user stands behind this execution: an event, a schedule, a machine.
 * @returns {User | null}
 */
export function get() {
  try {
    const { id, name = null, email = null, roles } = call(() => wit.get());
    return { id, name, email, roles, label: name || email || id };
  } catch (error) {
    if (error instanceof Unavailable) return null;
    throw error;
  }
}
