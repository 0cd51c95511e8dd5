/** The install's configuration, as the extension's own schema describes it. */
import { api, Problem } from '../../api.js';
import { h } from '../../dom.js';
import { button, card, say } from '../../parts.js';
import { settingsForm } from '../../settings.js';

/** @param {import('../extension.js').Subject} subject */
export function settingsTab({ id, version, install }) {
  const schema = version.manifest.settings;
  if (!schema) return card('Settings', h('p', {}, 'It has nothing to set.'));
  const form = settingsForm(schema, install.config);
  const save = async () => {
    try {
      await api(`/installs/${id}/config`, { method: 'PUT', json: { config: form.read() } });
      say('Saved. It holds within five seconds.');
    } catch (error) {
      if (error instanceof Problem) form.show(error);
      throw error;
    }
  };
  return card('Settings', form.element, h('div', { class: 'actions' }, button('Save', save, { variant: 'primary' })));
}
