/** Executions as rows and as charts, for the page of all of them and for an extension's own. */
import { api, withQuery } from './api.js';
import { h } from './dom.js';
import { duration, hour, size, time } from './format.js';
import { card, link, mark, pagedTable } from './parts.js';

const FRESH_MS = 3_000;
const STEP_MS = 5 * 60_000;
const SHOWN_MS = 6 * 3_600_000;
const KEPT_ROWS = 200;

const COLUMNS = [
  { key: 'started_at', label: 'When', format: (/** @type {number} */ at, /** @type {any} */ row) => link(`/activity/${row.execution_id}`, time(at)) },
  { key: 'extension_id', label: 'Extension', format: (/** @type {string} */ id) => h('code', {}, id) },
  { key: 'path', label: 'Request', format: (/** @type {string} */ path, /** @type {any} */ row) => h('code', {}, `${row.method} ${path}`) },
  { key: 'status', label: 'Answer', format: outcome },
  { key: 'receipt', label: 'Time', align: 'end', format: (/** @type {any} */ receipt) => duration(receipt.duration_ms) },
]; // prettier-ignore

/** @param {number} status @param {any} row */
export function outcome(status, row) {
  if (row.error_code) return h('span', {}, mark(String(status), 'bad'), ` ${row.error_code}`);
  return mark(String(status), status >= 500 ? 'bad' : status >= 400 ? 'warn' : 'good');
}

/**
 * The newest executions, growing as they happen.
 *
 * @param {Record<string, string>} where a filter of the API
 * @param {AbortSignal} signal ends the growing
 * @param {{hide?: string[]}} [options] columns that every row has alike
 */
export async function executionsCard(where, signal, { hide = [] } = {}) {
  const columns = COLUMNS.filter(({ key }) => !hide.includes(key));
  const load = (/** @type {string | null} */ cursor) => api(withQuery('/executions', { ...where, cursor, limit: 50 }));
  const rows = await pagedTable('Executions', columns, load, { empty: 'Nothing ran yet.' });
  follow(where, signal, (fresh) => {
    const known = new Set(rows.rows.map((/** @type {any} */ row) => row.execution_id));
    const added = fresh.filter((row) => !known.has(row.execution_id)).reverse();
    if (added.length) rows.rows = [...added, ...rows.rows].slice(0, Math.max(KEPT_ROWS, rows.rows.length));
  });
  return card('Executions', rows);
}

/** @param {Record<string, string>} where @param {AbortSignal} signal @param {(rows: any[]) => void} onFresh oldest first */
async function follow(where, signal, onFresh) {
  let cursor = null;
  while (!signal.aborted) {
    try {
      const found = await api(withQuery('/executions/tail', { ...where, cursor }), { signal });
      cursor = found.cursor;
      if (found.items.length) onFresh(found.items);
      await pause(found.more ? 0 : FRESH_MS, signal);
    } catch {
      await pause(FRESH_MS * 3, signal); // the next try tells whether it has passed
    }
  }
}

/** @param {string | null} extensionId of all of them, where it is null @param {AbortSignal} signal */
export async function chartsCard(extensionId, signal) {
  const charts = {
    rate: chart('Executions a minute', '', 'line'),
    time: chart('Duration', 'ms', 'line'),
    cpu: chart('CPU', 'ms', 'bar'),
    egress: chart('Sent and received', 'bytes', 'bar'),
  };
  await draw(charts, extensionId);
  keepDrawing(charts, extensionId, signal);
  const shown = Object.values(charts).map(({ label, element }) => h('figure', {}, h('figcaption', {}, label), element));
  return card('The last six hours', h('div', { class: 'charts' }, ...shown));
}

/** @param {string} label @param {string} unit @param {'line' | 'bar'} type */
function chart(label, unit, type) {
  return { label, element: h(/** @type {any} */ ('oriel-chart'), { label, unit, type, height: 150 }) };
}

/** @param {Record<string, {element: any}>} charts @param {string | null} extensionId */
async function draw(charts, extensionId) {
  const until = Date.now();
  const query = { since: until - SHOWN_MS, until, step: STEP_MS, extension_id: extensionId };
  const { items } = await api(withQuery('/usage/series', query));
  const labels = items.map((/** @type {any} */ point) => hour(point.at));
  const line = (/** @type {string} */ name, /** @type {(point: any) => number | null} */ of, tone = undefined) => ({ name, tone, values: items.map(of) });
  const minutes = STEP_MS / 60_000;
  const failures = { name: 'Failed', tone: 'danger', values: items.map((/** @type {any} */ p) => p.failures / minutes) };
  charts.rate.element.data = { labels, series: [line('All', (p) => p.invocations / minutes), failures] };
  charts.time.element.data = { labels, series: [line('Half are below', (p) => p.p50_ms), line('95 % are below', (p) => p.p95_ms)] }; // prettier-ignore
  charts.cpu.element.data = { labels, series: [line('CPU', (p) => p.cpu_ms)] };
  charts.egress.element.data = { labels, series: [line('Egress', (p) => p.egress_bytes)] };
}

/** @param {Record<string, {element: any}>} charts @param {string | null} extensionId @param {AbortSignal} signal */
async function keepDrawing(charts, extensionId, signal) {
  while (!signal.aborted) {
    await pause(15_000, signal);
    if (!signal.aborted && !document.hidden) await draw(charts, extensionId).catch(() => undefined);
  }
}

/** @param {number} milliseconds @param {AbortSignal} signal */
function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => { clearTimeout(timer); resolve(undefined); }, { once: true }); // prettier-ignore
  });
}

/** What a receipt says, in words. @param {any} receipt @returns {[string, string][]} */
export function receiptFacts(receipt) {
  return [
    ['Time', duration(receipt.duration_ms)], ['CPU', duration(receipt.cpu_ms)],
    ['Most memory', size(receipt.peak_memory_bytes)], ['Host calls', String(receipt.host_calls)],
    ['Refused calls', String(receipt.denied_calls)], ['Sent and received', size(receipt.egress_bytes)],
    ['Records read and written', `${receipt.kv_reads} and ${receipt.kv_writes}`], ['Start', receipt.cold ? 'cold' : 'warm'],
  ]; // prettier-ignore
}
