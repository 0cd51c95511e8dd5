/** Quotas as bars, and what each extension used day by day and cost. */
import { api, download, withQuery } from '../api.js';
import { h } from '../dom.js';
import { count, duration, size, time } from '../format.js';
import { button, card, meter, pageHead, table } from '../parts.js';

const DAYS = 30;
/** @type {[string, string, (value: number) => string][]} */
const DAILY = [
  ['daily_invocations', 'Executions', count], ['daily_cpu_ms', 'CPU', duration],
  ['daily_memory_mb_ms', 'Memory over time', (value) => `${count(value / 1000)} MB·s`], ['daily_egress_bytes', 'Sent and received', size],
]; // prettier-ignore
const COLUMNS = [
  { key: 'window', label: 'Day', sortable: true },
  { key: 'extension_id', label: 'Extension', sortable: true },
  { key: 'version', label: 'Version' },
  { key: 'invocations', label: 'Executions', align: 'end', sortable: true, format: count },
  { key: 'failures', label: 'Failed', align: 'end', sortable: true, format: count },
  { key: 'cpu_ms', label: 'CPU', align: 'end', sortable: true, format: duration },
  { key: 'egress_bytes', label: 'Egress', align: 'end', sortable: true, format: size },
]; // prettier-ignore

/** @returns {Promise<Node>} */
export async function usagePage() {
  const until = new Date().toISOString().slice(0, 10);
  const since = new Date(Date.now() - (DAYS - 1) * 86_400_000).toISOString().slice(0, 10);
  const query = { since, until };
  const [quotas, usage] = await Promise.all([api('/quotas'), api(withQuery('/usage', query))]);
  const save = button('Save as CSV', () => download(withQuery('/usage.csv', query), `usage-${since}-${until}.csv`));
  const cost = { key: 'cost', label: `Cost (${usage.currency})`, align: 'end', sortable: true };
  const columns = usage.currency ? [...COLUMNS, cost] : COLUMNS;
  const total = usage.currency && h('p', {}, 'Together ', h('strong', {}, `${usage.total_cost} ${usage.currency}`));
  return h('div', {},
    pageHead('Usage', `What extensions used of what they may. The day ends ${time(quotas.resets_at)}.`, save),
    quotaCard('Your organisation today', quotas.tenant),
    ...quotas.installs.map((/** @type {any} */ one) => quotaCard(one.extension_id, one)),
    card(`The last ${DAYS} days`, total, table('Usage by day', columns, [...usage.items].reverse(), { empty: 'Nothing ran.' }))); // prettier-ignore
}

/** @param {string} title @param {any} line */
export function quotaCard(title, { quotas, used }) {
  const meters = DAILY.map(([name, label, words]) => meter(label, used[name], quotas[name] ?? null, words));
  const rate = quotas.requests_per_second;
  const pace = [rate && `${count(rate)} requests a second`, quotas.concurrent && `${count(quotas.concurrent)} at once`];
  return card(title, h('div', { class: 'meters' }, ...meters), h('p', { class: 'muted small' }, pace.filter(Boolean).join(', ')));
}
