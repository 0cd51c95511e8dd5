/**
 * Tell other extensions of the organisation what has happened. Needs `events.emit`.
 *
 * ```js
 * events.emit('score.changed', { order: 'o-17', score: 80 }, { key: 'o-17' });
 * ```
 *
 * What the extension is told itself needs `events.subscribe` and `events` in manifest.json, and no import: the handler is
 * called with a POST whose JSON is a CloudEvent, `{id, type, source, time, subject, data}`. `type` is the topic and
 * `subject` the key. The same `id` again is the same event again.
 */
import * as wit from 'oriel:extension/events@1.0.0';
import { call } from './errors.js';

/**
 * Tell what has happened; the event's id. Throws `Denied`, `Invalid`, `Unavailable`, and `LimitExceeded` for too many or
 * for a chain of events that is too long.
 * @param {string} topic below the extension's own id; `score.changed` is told as `com.acme.pulse.score.changed`
 * @param {Record<string, unknown>} [data]
 * @param {{key?: string}} [options] events of one key arrive in their order, where they are asked for so
 * @returns {string}
 */
export function emit(topic, data = {}, { key } = {}) {
  return call(() => wit.emit({ topic, key, data: JSON.stringify(data) }));
}
