/** Consent: what an extension asks for, before it is installed and before it becomes another version. */
import { api, Problem, withQuery } from '../api.js';
import { h } from '../dom.js';
import { byCapability, grantChoices } from '../grants.js';
import { button, card, link, mark, pageHead, say } from '../parts.js';
import { go } from '../router.js';
import { settingsForm } from '../settings.js';
import { provenance } from './extension/about.js';
import { differences } from './extension/differences.js';

/** @param {import('../router.js').Params} params @returns {Promise<Node>} */
export async function installPage({ id }) {
  const wanted = new URLSearchParams(location.search).get('version') ?? 'latest';
  const version = await api(`/extensions/${id}/versions/${wanted}`);
  const all = byCapability(version.capabilities.map((/** @type {any} */ ask) => ({ ...ask, capability: ask.name })));
  const choices = grantChoices(version.capabilities, all);
  const schema = version.manifest.settings;
  const form = schema ? settingsForm(schema, {}) : null;
  const install = () =>
    sent(form, () => api('/installs', {
      method: 'POST',
      json: { extension_id: id, version: version.version, grants: choices.read(), config: form?.read() ?? {} },
    }), `${version.title} is installed.`, id); // prettier-ignore
  return h('div', {},
    pageHead(`Install ${version.title}`, `Version ${version.version} by ${version.publisher}. It gets what you leave switched on, and nothing else.`),
    card('It may', choices.element),
    form && card('Settings', form.element),
    provenance(version),
    h('div', { class: 'actions bottom' }, link(`/extensions/${id}`, 'Cancel', 'button'), button('Install', install, { variant: 'primary' }))); // prettier-ignore
}

/** @param {import('../router.js').Params} params @returns {Promise<Node>} */
export async function upgradePage({ id }) {
  const wanted = new URLSearchParams(location.search).get('version') ?? 'latest';
  const [install, version] = await Promise.all([api(`/installs/${id}`), api(`/extensions/${id}/versions/${wanted}`)]);
  const preview = await api(withQuery(`/installs/${id}/upgrade`, { version: version.version }));
  const fresh = new Set(preview.needs_consent.map((/** @type {any} */ ask) => ask.name));
  const kept = install.grants.filter((/** @type {any} */ grant) => preview.keeps.includes(grant.capability));
  const choices = grantChoices(version.capabilities, byCapability(kept), fresh);
  const schema = version.manifest.settings;
  const form = schema ? settingsForm(schema, install.config) : null;
  const upgrade = () =>
    sent(form, async () => {
      const json = { version: version.version, grants: choices.read(), exact: true, config: form?.read() ?? null };
      await api(`/installs/${id}/upgrade`, { method: 'POST', json });
    }, `${version.title} runs ${version.version} now.`, id); // prettier-ignore
  return h('div', {},
    pageHead(`From ${install.version} to ${version.version}`, h('span', {}, `${version.title}. Settings, secrets and data stay. `, fresh.size > 0 && mark('It asks for more', 'warn'))),
    differences(preview),
    card('It may', h('p', { class: 'muted small' }, 'What is new is off until you switch it on.'), choices.element),
    form && card('Settings', form.element),
    provenance(version),
    h('div', { class: 'actions bottom' }, link(`/extensions/${id}`, 'Cancel', 'button'), button(`Run ${version.version}`, upgrade, { variant: 'primary' }))); // prettier-ignore
}

/**
 * @param {ReturnType<typeof settingsForm> | null} form where findings about the configuration are shown
 * @param {() => Promise<unknown>} act
 * @param {string} done
 * @param {string} id
 */
async function sent(form, act, done, id) {
  try {
    await act();
  } catch (error) {
    if (error instanceof Problem) form?.show(error);
    throw error;
  }
  say(done);
  go(`/extensions/${id}`);
}
