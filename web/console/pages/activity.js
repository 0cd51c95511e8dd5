/** What ran for the tenant, as it happens. */
import { chartsCard, executionsCard } from '../activity.js';
import { h } from '../dom.js';
import { pageHead } from '../parts.js';
import { go } from '../router.js';

const OUTCOMES = [['', 'All'], ['succeeded', 'Succeeded'], ['failed', 'Failed']]; // prettier-ignore

/** @param {import('../router.js').Params} _params @param {AbortSignal} signal @returns {Promise<Node>} */
export async function activityPage(_params, signal) {
  const chosen = new URLSearchParams(location.search).get('outcome') ?? '';
  const links = OUTCOMES.map(([value, label]) =>
    h('button', { type: 'button', 'aria-pressed': String(value === chosen), onclick: () => go(value ? `/activity?outcome=${value}` : '/activity') }, label)); // prettier-ignore
  /** @type {Record<string, string>} */
  const where = chosen ? { outcome: chosen } : {};
  return h('div', {},
    pageHead('Activity', 'What the extensions of your organisation did. The list grows by itself.'),
    await chartsCard(null, signal),
    h('div', { class: 'choices', role: 'group', 'aria-label': 'Outcome' }, ...links),
    await executionsCard(where, signal)); // prettier-ignore
}
