/** One extension: who made it, what it asks for; and where it is installed, everything about the install. */
import { api, Problem } from '../api.js';
import { h } from '../dom.js';
import { link, pageHead, stateMark } from '../parts.js';
import { ROOT } from '../router.js';
import { aboutTab } from './extension/about.js';
import { activityTab } from './extension/activity.js';
import { manageTab } from './extension/manage.js';
import { permissionsTab } from './extension/permissions.js';
import { secretsTab } from './extension/secrets.js';
import { settingsTab } from './extension/settings.js';

/**
 * @typedef {object} Subject what all tabs are about
 * @property {string} id
 * @property {any} extension with its versions
 * @property {any} version the one installed, or else the latest
 * @property {any} install null where there is none
 * @property {AbortSignal} signal
 */

/** @type {{name: string, label: string, tab: (subject: Subject) => Promise<Node> | Node, needsInstall: boolean}[]} */
const TABS = [
  { name: 'about', label: 'About', tab: aboutTab, needsInstall: false },
  { name: 'permissions', label: 'Permissions', tab: permissionsTab, needsInstall: true },
  { name: 'settings', label: 'Settings', tab: settingsTab, needsInstall: true },
  { name: 'secrets', label: 'Secrets', tab: secretsTab, needsInstall: true },
  { name: 'activity', label: 'Activity', tab: activityTab, needsInstall: true },
  { name: 'manage', label: 'Manage', tab: manageTab, needsInstall: true },
];

/** @param {import('../router.js').Params} params @param {AbortSignal} signal @returns {Promise<Node>} */
export async function extensionPage({ id }, signal) {
  const [extension, install] = await Promise.all([api(`/extensions/${id}`), installed(id)]);
  const version = await api(`/extensions/${id}/versions/${install?.version ?? 'latest'}`);
  const subject = { id, extension, version, install, signal };
  const tabs = TABS.filter(({ needsInstall }) => install || !needsInstall);
  const wanted = new URLSearchParams(location.search).get('tab');
  const chosen = tabs.find(({ name }) => name === wanted) ?? tabs[0];
  return h('div', {},
    pageHead(version.title, h('span', {}, h('code', {}, id), ` ${version.version} by ${version.publisher} `, stateMark(install)), ...actions(subject)),
    tabs.length > 1 && tabList(id, tabs, chosen.name),
    await chosen.tab(subject)); // prettier-ignore
}

/** The install of an extension, where there is one. @param {string} id @returns {Promise<any>} */
async function installed(id) {
  try {
    return await api(`/installs/${id}`);
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return null;
    throw error;
  }
}

/** @param {Subject} subject */
function actions({ id, extension, install }) {
  if (!install) return [link(`/extensions/${id}/install`, 'Install', 'button primary')];
  const { latest } = extension;
  if (!latest || latest === install.version) return [];
  return [link(`/extensions/${id}/upgrade?version=${latest}`, `Look at ${latest}`, 'button primary')];
}

/** @param {string} id @param {{name: string, label: string}[]} tabs @param {string} chosen */
function tabList(id, tabs, chosen) {
  const links = tabs.map(({ name, label }) =>
    h('a', { href: `${ROOT}/extensions/${id}?tab=${name}`, 'aria-current': name === chosen && 'page' }, label));
  return h('nav', { class: 'tabs', 'aria-label': 'About this extension' }, ...links);
}
