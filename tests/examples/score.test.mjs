/** The arithmetic of Pulse. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_ANSWERS, added, lastWeeks, netPromoterScore, weekOf } from '../../examples/pulse/src/score.js';

const counts = (...marks) => marks.reduce((all, mark) => all.with(mark, all[mark] + 1), [...NO_ANSWERS]);

test('without answers there is no score', () => assert.equal(netPromoterScore(NO_ANSWERS), null));

test('the score is promoters less detractors, in per cent', () => {
  assert.equal(netPromoterScore(counts(9, 10)), 100);
  assert.equal(netPromoterScore(counts(0, 6)), -100);
  assert.equal(netPromoterScore(counts(7, 8)), 0);
  assert.equal(netPromoterScore(counts(10, 8, 3)), 0);
});

test('counts add up mark by mark', () => assert.deepEqual(added([counts(1, 2), counts(2)]), counts(1, 2, 2)));

test('a week starts on Monday, also on a Sunday and over the turn of the year', () => {
  assert.equal(weekOf(Date.parse('2026-11-29T23:59:59Z')), '2026-11-23');
  assert.equal(weekOf(Date.parse('2026-11-30T00:00:00Z')), '2026-11-30');
  assert.equal(weekOf(Date.parse('2027-01-01T12:00:00Z')), '2026-12-28');
});

test('the last weeks end with this one and have no gap', () => {
  const weeks = lastWeeks(Date.parse('2026-03-30T00:00:00Z'), 3);
  assert.deepEqual(weeks, ['2026-03-16', '2026-03-23', '2026-03-30']);
});
