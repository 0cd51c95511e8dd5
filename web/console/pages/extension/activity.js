/** What the install did, and what it used of its quotas today. */
import { chartsCard, executionsCard } from '../../activity.js';
import { api } from '../../api.js';
import { h } from '../../dom.js';
import { quotaCard } from '../usage.js';

/** @param {import('../extension.js').Subject} subject */
export async function activityTab({ id, signal }) {
  const quotas = await api('/quotas');
  const own = quotas.installs.find((/** @type {any} */ one) => one.extension_id === id);
  return h('div', {},
    await chartsCard(id, signal),
    own && quotaCard('Today', own),
    await executionsCard({ extension_id: id }, signal, { hide: ['extension_id'] })); // prettier-ignore
}
