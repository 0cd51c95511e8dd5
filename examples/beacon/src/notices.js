/** Notices: short texts for the team, newest first, which go by themselves after the tenant's `keep_days`. */
import { context, storage } from 'oriel';
import { Refused } from './refused.js';

const SHOWN = 20;
const LONGEST = 280;
const DAY_SECONDS = 24 * 60 * 60;
const LEVELS = ['note', 'trouble', 'fine'];

/**
 * @typedef {object} Notice
 * @property {string} id
 * @property {string} text
 * @property {string} level one of LEVELS
 * @property {string} at ISO 8601
 */

/**
 * @param {Record<string, unknown>} form
 * @returns {Notice}
 */
export function keep({ text, level = 'note' }) {
  if (typeof text !== 'string' || !text.trim() || text.length > LONGEST) {
    throw new Refused(422, `'text' must have 1 to ${LONGEST} characters.`);
  }
  if (typeof level !== 'string' || !LEVELS.includes(level)) {
    throw new Refused(422, `'level' must be one of ${LEVELS.join(', ')}.`);
  }
  const now = Date.now();
  // Storage lists by key in rising order: an id that falls as time goes on puts the newest first.
  const id = `${String(1e13 - now).padStart(13, '0')}-${crypto.randomUUID().slice(0, 8)}`;
  const notice = { id, text: text.trim(), level, at: new Date(now).toISOString() };
  storage.put(`notice/${id}`, notice, { ifAbsent: true, ttl: context.setting('keep_days', 30) * DAY_SECONDS });
  return notice;
}

/** @returns {Notice[]} */
export function latest() {
  return storage.list('notice/', { limit: SHOWN }).entries.map((entry) => entry.json());
}

/** @param {string} id */
export function forget(id) {
  if (!storage.remove(`notice/${id}`)) throw new Refused(404, 'There is no such notice.');
}
