/**
 * Lines in the extension's log, beside the execution's ids. Always there; `console` ends up here too. Past the
 * execution's allowance lines are dropped and counted; logging never fails.
 */
import { emit } from 'oriel:extension/log@1.0.0';

/** @typedef {(message: string, fields?: Record<string, unknown>) => void} Write */

/** @type {Write} */
export const debug = (message, fields) => write('debug', message, fields);
/** @type {Write} */
export const info = (message, fields) => write('info', message, fields);
/** @type {Write} */
export const warn = (message, fields) => write('warn', message, fields);
/** @type {Write} */
export const error = (message, fields) => write('error', message, fields);

/**
 * @param {'debug' | 'info' | 'warn' | 'error'} level
 * @param {string} message
 * @param {Record<string, unknown>} [fields]
 */
function write(level, message, fields = {}) {
  emit(level, message, Object.entries(fields).map(([name, value]) => ({ name, value: String(value) })));
}
