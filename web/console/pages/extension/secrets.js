/** The install's secrets: written here, sealed, and never shown again. */
import { api } from '../../api.js';
import { h } from '../../dom.js';
import { time } from '../../format.js';
import { button, card, confirm, say, table } from '../../parts.js';
import { go } from '../../router.js';

/** @param {import('../extension.js').Subject} subject */
export async function secretsTab({ id }) {
  const { items } = await api(`/installs/${id}/secrets`);
  const columns = [
    { key: 'name', label: 'Name', format: (/** @type {string} */ name) => h('code', {}, name) },
    { key: 'hosts', label: 'Sent to', format: (/** @type {string[]} */ hosts) => hosts.join(', ') || '–' },
    { key: 'reference_only', label: 'Readable', format: (/** @type {boolean} */ only) => (only ? 'by nobody' : 'by the extension') },
    { key: 'updated_at', label: 'Set', format: time },
    { key: 'name_again', label: 'Actions', format: (/** @type {unknown} */ _, /** @type {any} */ row) => button('Delete', () => remove(id, row.name), { size: 'small', variant: 'danger' }) },
  ]; // prettier-ignore
  return h('div', {},
    card('Secrets', h('p', { class: 'muted' }, 'A value is sealed as it arrives. Nobody can read it here again, only replace or delete it.'),
      table('Secrets', columns, items, { empty: 'There are none.' })),
    card('Set a secret', form(id))); // prettier-ignore
}

/** @param {string} id */
function form(id) {
  const field = (/** @type {any} */ given) => h(/** @type {any} */ ('oriel-field'), given);
  const fields = {
    name: field({ name: 'name', label: 'Name', required: true, autocomplete: 'off', pattern: '[A-Za-z_][A-Za-z0-9_.\\-]{0,63}' }),
    value: field({ name: 'value', label: 'Value', type: 'password', required: true, autocomplete: 'new-password' }),
    hosts: field({ name: 'hosts', label: 'Hosts it may be sent to', hint: 'With commas between them.' }),
    only: field({ name: 'only', label: 'The extension may send it, and never sees it', type: 'checkbox' }),
  };
  const save = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const hosts = fields.hosts.value.split(',').map((/** @type {string} */ host) => host.trim()).filter(Boolean); // prettier-ignore
    const json = { value: fields.value.value, hosts, reference_only: fields.only.checked };
    try {
      await api(`/installs/${id}/secrets/${encodeURIComponent(fields.name.value)}`, { method: 'PUT', json });
      say(`${fields.name.value} is set.`);
      go(`/extensions/${id}?tab=secrets`, { replace: true });
    } catch (error) {
      say(error);
    }
  };
  const submit = h(/** @type {any} */ ('oriel-button'), { type: 'submit', variant: 'primary' }, 'Set');
  return h('form', { class: 'settings', onsubmit: save }, ...Object.values(fields), h('div', { class: 'actions' }, submit));
}

/** @param {string} id @param {string} name */
async function remove(id, name) {
  if (!(await confirm(`Delete ${name}?`, 'The extension has it no more from within five seconds on.', 'Delete'))) return;
  await api(`/installs/${id}/secrets/${encodeURIComponent(name)}`, { method: 'DELETE' });
  go(`/extensions/${id}?tab=secrets`, { replace: true });
}
