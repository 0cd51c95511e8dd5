/** One execution: what was asked, what came of it, what it used, and what it said. */
import { outcome, receiptFacts } from '../activity.js';
import { api } from '../api.js';
import { h } from '../dom.js';
import { short, time } from '../format.js';
import { card, facts, link, pageHead, table } from '../parts.js';

const LINES = [
  { key: 'level', label: 'Level' },
  { key: 'message', label: 'Line', format: (/** @type {string} */ text) => h('pre', {}, text) },
  { key: 'fields', label: 'Fields', format: (/** @type {unknown} */ fields) => h('code', {}, fields ? JSON.stringify(fields) : '') },
]; // prettier-ignore

/** @param {import('../router.js').Params} params @returns {Promise<Node>} */
export async function executionPage({ id }) {
  const found = await api(`/executions/${encodeURIComponent(id)}`);
  return h('div', {},
    pageHead(`${found.method} ${found.path}`, h('span', {}, time(found.started_at), ' by ', link(`/extensions/${found.extension_id}`, found.extension_id))),
    h('div', { class: 'halves' },
      card('Outcome', facts([
        ['Answer', outcome(found.status, found)], ['Trigger', found.trigger], ['Version', found.version],
        ['Execution', h('code', {}, found.execution_id)], ['Request', h('code', {}, found.request_id)],
        ['Bundle', h('code', { title: found.content_hash }, short(found.content_hash))],
      ])),
      card('Receipt', facts(receiptFacts(found.receipt)))),
    card('Log', table('Log lines', LINES, found.logs, { empty: 'It said nothing.' }))); // prettier-ignore
}
