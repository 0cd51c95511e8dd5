/** What operators see and stop: quarantined bundles, versions of every extension, publishers and their keys. */
import { all, api } from '../api.js';
import { h } from '../dom.js';
import { short, time } from '../format.js';
import { button, card, confirm, facts, link, mark, pageHead, say, table } from '../parts.js';
import { go } from '../router.js';

const EXTENSIONS = [
  { key: 'extension_id', label: 'Extension', format: (/** @type {string} */ id) => link(`/operate/extensions/${id}`, id) },
  { key: 'publisher', label: 'Publisher', format: (/** @type {string} */ id) => link(`/operate/publishers/${id}`, id) },
  { key: 'latest', label: 'Offered', format: (/** @type {string | null} */ version) => version ?? mark('none', 'warn') },
]; // prettier-ignore
const PUBLISHERS = [
  { key: 'publisher', label: 'Publisher', format: (/** @type {string} */ id) => link(`/operate/publishers/${id}`, id) },
  { key: 'prefixes', label: 'Owns', format: (/** @type {string[]} */ prefixes) => h('code', {}, prefixes.join(', ')) },
  { key: 'revoked_at', label: 'State', format: standing },
]; // prettier-ignore

/** @returns {Promise<Node>} */
export async function operatePage() {
  const [quarantine, extensions, publishers] = await Promise.all([all('/quarantine'), all('/extensions'), all('/publishers')]);
  return h('div', {},
    pageHead('Operate', 'For the whole platform, all tenants.'),
    card('In quarantine', h('p', { class: 'muted' }, 'Bundles that ended several workers. They run for nobody.'),
      table('Quarantine', quarantineColumns(), quarantine, { empty: 'No bundle is in quarantine.' })),
    card('Extensions', table('Extensions', EXTENSIONS, extensions, { empty: 'Nothing is published.' })),
    card('Publishers', table('Publishers', PUBLISHERS, publishers, { empty: 'There are none.' }))); // prettier-ignore
}

function quarantineColumns() {
  const lift = async (/** @type {any} */ { content_hash: hash, extension_id: id }) => {
    if (!(await confirm(`Let ${id} run again?`, 'It may end workers again, and is then stopped again.', 'Let it run'))) return;
    await api(`/quarantine/${hash}`, { method: 'DELETE' });
    say(`${id} may run again.`);
    go('/operate', { replace: true });
  };
  return [
    { key: 'extension_id', label: 'Extension' },
    { key: 'content_hash', label: 'Bundle', format: (/** @type {string} */ hash) => h('code', { title: hash }, short(hash)) },
    { key: 'reason', label: 'Why' },
    { key: 'created_at', label: 'Since', format: time },
    { key: 'deaths', label: 'Actions', format: (/** @type {number} */ _, /** @type {any} */ row) => button('Lift', () => lift(row), { size: 'small' }) },
  ]; // prettier-ignore
}

/** The kill switch of a version, for every tenant. @param {import('../router.js').Params} params @returns {Promise<Node>} */
export async function operateExtensionPage({ id }) {
  const [extension, rollouts] = await Promise.all([api(`/extensions/${id}`), all(`/extensions/${id}/rollouts`)]);
  const columns = [
    { key: 'version', label: 'Version' },
    { key: 'status', label: 'State', format: (/** @type {string} */ status) => mark(status, status === 'ready' ? 'good' : status === 'yanked' ? 'bad' : 'warn') },
    { key: 'created_at', label: 'Published', format: time },
    { key: 'content_hash', label: 'Actions', format: (/** @type {string} */ _, /** @type {any} */ row) => statusButtons(id, row) },
  ]; // prettier-ignore
  return h('div', {},
    pageHead(id, h('span', {}, 'By ', link(`/operate/publishers/${extension.publisher}`, extension.publisher))),
    card('Versions', h('p', { class: 'muted' }, 'A yanked version runs for nobody within ten seconds. A deprecated one goes on, and is not offered.'),
      table('Versions', columns, extension.versions)),
    rolloutCard(id, extension.versions, rollouts)); // prettier-ignore
}

/** @param {string} id @param {any} version */
function statusButtons(id, { version, status }) {
  const set = async (/** @type {string} */ wanted, /** @type {string} */ question, /** @type {string} */ consequence, /** @type {string} */ yes) => {
    if (!(await confirm(question, consequence, yes))) return;
    await api(`/extensions/${id}/versions/${version}/status`, { method: 'POST', json: { status: wanted } });
    say(`${version} is ${wanted}.`);
    go(`/operate/extensions/${id}`, { replace: true });
  };
  const buttons = [];
  if (status !== 'ready') buttons.push(button('Restore', () => set('ready', `Restore ${version}?`, 'It is offered and runs again.', 'Restore'), { size: 'small' }));
  if (status === 'ready') buttons.push(button('Deprecate', () => set('deprecated', `Deprecate ${version}?`, 'It is not offered any more; where it is installed it goes on.', 'Deprecate'), { size: 'small' }));
  if (status !== 'yanked') buttons.push(button('Yank', () => set('yanked', `Yank ${version}?`, 'It stops for every tenant within ten seconds.', 'Yank'), { size: 'small', variant: 'danger' }));
  return h('span', { class: 'actions' }, ...buttons);
}

/** Bringing a version to a share of the tenants, and back. @param {string} id @param {any[]} versions @param {any[]} rollouts */
function rolloutCard(id, versions, rollouts) {
  const share = h(/** @type {any} */ ('oriel-field'), { label: 'Percent of tenants', name: 'percent', type: 'number', min: 1, max: 100, value: 10, required: true });
  const version = h(/** @type {any} */ ('oriel-field'), { label: 'Version', name: 'version', type: 'select', required: true },
    ...versions.filter(({ status }) => status === 'ready').map((one) => h('option', {}, one.version)));
  const start = async () => {
    await api(`/extensions/${id}/versions/${version.value}/rollout`, { method: 'POST', json: { percent: Number(share.value) } });
    say(`${version.value} goes to ${share.value} % of tenants.`);
    go(`/operate/extensions/${id}`, { replace: true });
  };
  return card('Rollouts',
    h('p', { class: 'muted' }, 'Installs that follow a range get the version, tenant by tenant. One that asks for more waits for consent.'),
    table('Rollouts', rolloutColumns(id), rollouts, { empty: 'There is none.' }),
    h('div', { class: 'settings' }, version, share, h('div', {}, button('Start a rollout', start)))); // prettier-ignore
}

/** @param {string} id */
function rolloutColumns(id) {
  const change = async (/** @type {string} */ version, /** @type {object} */ json, /** @type {string} */ said) => {
    await api(`/extensions/${id}/versions/${version}/rollout`, { method: 'PATCH', json });
    say(said);
    go(`/operate/extensions/${id}`, { replace: true });
  };
  const actions = (/** @type {any} */ { version, status, percent }) => h('span', { class: 'actions' },
    status === 'active' && percent < 100 && button('Double', () => change(version, { percent: Math.min(100, percent * 2) }, `${version} goes further.`), { size: 'small' }),
    status === 'active' && button('Pause', () => change(version, { status: 'paused' }, `${version} pauses.`), { size: 'small' }),
    status === 'paused' && button('Go on', () => change(version, { status: 'active' }, `${version} goes on.`), { size: 'small' }),
    status !== 'rolled_back' && button('Roll back', () => change(version, { status: 'rolled_back' }, `${version} is rolled back.`), { size: 'small', variant: 'danger' })); // prettier-ignore
  return [
    { key: 'version', label: 'Version' },
    { key: 'percent', label: 'Tenants', format: (/** @type {number} */ percent) => `${percent} %` },
    { key: 'status', label: 'State', format: (/** @type {string} */ status) => mark(status.replace('_', ' '), status === 'active' ? 'good' : 'warn') },
    { key: 'extension_id', label: 'Actions', format: (/** @type {string} */ _, /** @type {any} */ row) => actions(row) },
  ]; // prettier-ignore
}

/** @param {import('../router.js').Params} params @returns {Promise<Node>} */
export async function operatePublisherPage({ id }) {
  const publisher = await api(`/publishers/${id}`);
  const revoke = async () => {
    if (!(await confirm(`Revoke ${id}?`, 'Nothing it published runs any more, for any tenant, and it cannot publish.', 'Revoke', { word: id }))) return;
    await api(`/publishers/${id}/revoke`, { method: 'POST' });
    go(`/operate/publishers/${id}`, { replace: true });
  };
  return h('div', {},
    pageHead(id, standing(publisher.revoked_at)),
    card('Publisher', facts([['Owns', h('code', {}, publisher.prefixes.join(', '))], ['Since', time(publisher.created_at)]])),
    card('Keys', table('Keys', keyColumns(id), publisher.keys, { empty: 'There are none: it cannot publish.' })),
    publisher.revoked_at === null && card('Revoke', h('p', {}, 'Stops everything of this publisher, for every tenant.'), button('Revoke', revoke, { variant: 'danger' }))); // prettier-ignore
}

/** @param {string} publisher */
function keyColumns(publisher) {
  const revoke = async (/** @type {string} */ key) => {
    if (!(await confirm('Revoke this key?', 'What it signed runs no more, for any tenant.', 'Revoke'))) return;
    await api(`/publishers/${publisher}/keys/${encodeURIComponent(key)}/revoke`, { method: 'POST' });
    go(`/operate/publishers/${publisher}`, { replace: true });
  };
  return [
    { key: 'key_id', label: 'Key', format: (/** @type {string} */ key) => h('code', { title: key }, short(key)) },
    { key: 'not_before', label: 'From', format: time },
    { key: 'not_after', label: 'Until', format: (/** @type {number | null} */ at) => (at === null ? 'further notice' : time(at)) },
    { key: 'revoked_at', label: 'State', format: standing },
    { key: 'publisher', label: 'Actions', format: (/** @type {string} */ _, /** @type {any} */ row) =>
      row.revoked_at === null ? button('Revoke', () => revoke(row.key_id), { size: 'small', variant: 'danger' }) : null },
  ]; // prettier-ignore
}

/** @param {number | null} revokedAt */
function standing(revokedAt) {
  return revokedAt === null ? mark('In good standing', 'good') : mark(`Revoked ${time(revokedAt)}`, 'bad');
}
