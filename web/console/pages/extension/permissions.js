/** What the tenant has granted, each with a switch. */
import { api } from '../../api.js';
import { h } from '../../dom.js';
import { byCapability, grantChoices } from '../../grants.js';
import { button, card, say } from '../../parts.js';
import { go } from '../../router.js';

/** @param {import('../extension.js').Subject} subject */
export function permissionsTab({ id, version, install }) {
  const choices = grantChoices(version.capabilities, byCapability(install.grants));
  const save = async () => {
    await api(`/installs/${id}/grants`, { method: 'PUT', json: { grants: choices.read() } });
    say('Saved. It holds within five seconds.');
    go(`/extensions/${id}?tab=permissions`, { replace: true });
  };
  return card('What it may do', choices.element,
    h('p', { class: 'muted small' }, 'What is switched off answers the extension with a clear refusal; it may go on without.'),
    version.capabilities.length > 0 && h('div', { class: 'actions' }, button('Save', save, { variant: 'primary' }))); // prettier-ignore
}
