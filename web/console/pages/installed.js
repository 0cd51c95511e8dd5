/** What is installed for the tenant, and what wants attention. */
import { all } from '../api.js';
import { h } from '../dom.js';
import { card, link, mark, pageHead, stateMark } from '../parts.js';

/** @returns {Promise<Node>} */
export async function installedPage() {
  const [installs, extensions] = await Promise.all([all('/installs'), all('/extensions')]);
  const latest = new Map(extensions.map(({ extension_id: id, latest: version }) => [id, version]));
  const head = pageHead('Installed', 'Extensions of your organisation.', link('/catalogue', 'Browse the catalogue', 'button'));
  if (!installs.length) return h('div', {}, head, nothing());
  const cards = installs.map((install) => installCard(install, latest.get(install.extension_id)));
  return h('div', {}, head, h('ul', { class: 'tiles' }, ...cards));
}

function nothing() {
  return card('Nothing is installed yet', h('p', {}, 'The ', link('/catalogue', 'catalogue'), ' shows what there is, and what each extension asks for.'));
}

/** @param {any} install @param {string | null | undefined} latest */
function installCard(install, latest) {
  const refused = install.missing.length;
  return h('li', { class: 'card tile' },
    h('h2', {}, link(`/extensions/${install.extension_id}`, install.title)),
    h('p', { class: 'muted small' }, h('code', {}, install.extension_id), ` ${install.version}`),
    h('p', { class: 'marks' }, stateMark(install),
      latest && latest !== install.version && mark(`${latest} is there`, 'warn'),
      refused > 0 && mark(`${refused} not granted`)),
  ); // prettier-ignore
}
