/** The week in numbers, written on Monday morning, so that it can be read before the first meeting. */
import { storage } from 'oriel';
import * as answers from './answers.js';
import { open } from './asking.js';
import { netPromoterScore, total } from './score.js';

const KEY = 'digest';

/** Write it down; the schedule `monday-digest` calls this. */
export function write() {
  const [before, week] = answers.weeks().slice(-2);
  const digest = {
    written_at: new Date().toISOString(),
    week: week.start,
    answers: total(week.counts),
    score: netPromoterScore(week.counts),
    score_before: netPromoterScore(before.counts),
    to_ask: open().length,
  };
  storage.put(KEY, digest);
  return digest;
}

/** The last one; null before the first Monday. */
export function last() {
  return storage.get(KEY)?.json() ?? null;
}
