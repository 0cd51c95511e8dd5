/** Who changed what for this tenant, and whether the record of it is whole. */
import { api, withQuery } from '../api.js';
import { h } from '../dom.js';
import { time } from '../format.js';
import { button, card, mark, pagedTable, pageHead } from '../parts.js';

const COLUMNS = [
  { key: 'at', label: 'When', format: time },
  { key: 'actor', label: 'Who' },
  { key: 'action', label: 'What' },
  { key: 'target', label: 'Of what', format: (/** @type {string} */ target) => h('code', {}, target) },
  { key: 'after', label: 'Change', format: change },
]; // prettier-ignore

/** @returns {Promise<Node>} */
export async function auditPage() {
  const load = (/** @type {string | null} */ cursor) => api(withQuery('/audit', { limit: 50, cursor }));
  const rows = await pagedTable('Audit entries', COLUMNS, load, { empty: 'Nothing was changed yet.' });
  const verdict = h('p', { role: 'status' });
  const verify = button('Verify', async () => verdict.replaceChildren(told(await api('/audit/verify', { method: 'POST', json: {} }))));
  return h('div', {},
    pageHead('Audit', 'Every change of what is installed, granted and configured. Each entry holds the hash of the one before.', verify),
    verdict, card(null, rows)); // prettier-ignore
}

/** @param {any} found */
function told({ intact, entries, faults }) {
  if (intact) return mark(`Whole: ${entries} entries, none altered, moved or removed`, 'good');
  const said = faults.map((/** @type {any} */ { sequence, problem }) => `entry ${sequence}: ${problem}`);
  return mark(`Not whole: ${said.join('; ')}`, 'bad');
}

/** @param {any} after @param {any} row */
function change(after, { before }) {
  const names = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})]);
  const differing = [...names].filter((name) => JSON.stringify(before?.[name]) !== JSON.stringify(after?.[name]));
  const lines = differing.map((name) => h('li', {}, h('code', {}, name), ': ', before === null ? '' : [said(before?.[name]), ' → '].join(''), said(after?.[name])));
  return h('details', {}, h('summary', {}, after === null ? 'Removed' : before === null ? 'Added' : differing.join(', ') || 'Nothing'), h('ul', { class: 'plain small' }, ...lines));
}

/** @param {unknown} value */
function said(value) {
  return value === undefined ? 'nothing' : typeof value === 'string' ? value : JSON.stringify(value);
}
