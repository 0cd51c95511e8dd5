import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checked, newestFirst } from '../src/notes.js';

test('a text is trimmed', () => {
  assert.equal(checked('  Buy milk '), 'Buy milk');
});

test('what is no text is refused', () => {
  for (const text of [undefined, null, 7, '', '   ', 'x'.repeat(281)]) assert.equal(checked(text), null);
});

test('a later note comes first', () => {
  assert.ok(newestFirst(2_000, 1n) < newestFirst(1_000, 1n));
});
