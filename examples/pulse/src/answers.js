/**
 * Answers and their weekly counts.
 *
 * An answer and the count it goes into are written together or not at all: the count's revision is the condition, so
 * that two answers in the same moment are both counted. The board then reads a few weekly records, however many
 * answers there are.
 */
import { Conflict, LimitExceeded, Problem, context, storage } from 'oriel';
import { DAY_MS, NO_ANSWERS, lastWeeks, weekOf } from './score.js';

const WEEKS = 13;
const PAGE = 20;
const ATTEMPTS = 8;
const WEEK_TTL = (WEEKS + 1) * 7 * (DAY_MS / 1000);
const LONGEST = { customer: 80, comment: 600 };

/**
 * @typedef {object} Answer
 * @property {string} id
 * @property {number} score 0 to 10
 * @property {string} customer
 * @property {string} comment
 * @property {string} at ISO 8601
 */

/**
 * Keep an answer.
 * @param {Record<string, unknown>} form
 * @returns {Answer}
 */
export function keep(form) {
  const now = Date.now();
  const answer = {
    id: newestFirstId(now),
    score: score(form.score),
    customer: text(form, 'customer'),
    comment: text(form, 'comment'),
    at: new Date(now).toISOString(),
  };
  const ttl = context.setting('keep_days', 365) * (DAY_MS / 1000);
  count(weekOf(now), answer.score, +1, [{ key: `answer/${answer.id}`, value: answer, ifAbsent: true, ttl }]);
  return answer;
}

/**
 * Forget an answer, and take it out of its week's count.
 * @param {string} id
 */
export function forget(id) {
  const entry = storage.get(`answer/${id}`);
  if (!entry || !storage.remove(entry.key, { ifRevision: entry.revision })) {
    throw new Problem(404, 'There is no such answer.', 'no_answer');
  }
  const { score: mark, at } = entry.json();
  count(weekOf(Date.parse(at)), mark, -1);
}

/**
 * Twenty answers, newest first.
 * @param {string | null} cursor
 */
export function page(cursor) {
  const { entries, cursor: next } = storage.list('answer/', { cursor, limit: PAGE });
  return { answers: entries.map((entry) => entry.json()), cursor: next };
}

/** The counts of the last thirteen weeks, oldest first. */
export function weeks() {
  const starts = lastWeeks(Date.now(), WEEKS);
  const found = new Map(storage.getMany(starts.map((start) => `week/${start}`)).map((entry) => [entry.key, entry.json()]));
  return starts.map((start) => ({ start, counts: found.get(`week/${start}`) ?? [...NO_ANSWERS] }));
}

/**
 * Change one count together with other writes; again where another request was quicker.
 * @param {string} week
 * @param {number} mark
 * @param {number} by
 * @param {Parameters<typeof storage.putMany>[0]} [writes]
 */
function count(week, mark, by, writes = []) {
  const key = `week/${week}`;
  for (let attempt = 1; ; attempt += 1) {
    const entry = storage.get(key);
    const counts = entry ? entry.json() : [...NO_ANSWERS];
    counts[mark] = Math.max(0, counts[mark] + by);
    try {
      const when = entry ? { ifRevision: entry.revision } : { ifAbsent: true };
      storage.putMany([...writes, { key, value: counts, ttl: WEEK_TTL, ...when }]);
      return;
    } catch (error) {
      if (error instanceof LimitExceeded) throw new Problem(507, 'There is no room for more answers.', 'full');
      if (!(error instanceof Conflict) || attempt === ATTEMPTS) throw error;
    }
  }
}

/** @param {unknown} value */
function score(value) {
  if (!Number.isInteger(value) || Number(value) < 0 || Number(value) > 10) {
    throw new Problem(422, "'score' must be a whole number from 0 to 10.", 'invalid_answer', { field: 'score' });
  }
  return Number(value);
}

/**
 * @param {Record<string, unknown>} form
 * @param {keyof typeof LONGEST} field
 */
function text(form, field) {
  const value = form[field] ?? '';
  if (typeof value !== 'string' || value.length > LONGEST[field]) {
    const message = `'${field}' must be text of at most ${LONGEST[field]} characters.`;
    throw new Problem(422, message, 'invalid_answer', { field });
  }
  return value.trim();
}

/**
 * Storage lists by key in rising order: an id that falls as time goes on puts the newest first.
 * @param {number} now
 */
function newestFirstId(now) {
  return `${String(1e13 - now).padStart(13, '0')}-${(context.randomU64() & 0xffffffn).toString(16).padStart(6, '0')}`;
}
