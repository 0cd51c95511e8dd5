/** Stopping, going back and removing: what an administrator needs in a hurry, and what cannot be undone. */
import { api, download } from '../../api.js';
import { h } from '../../dom.js';
import { time } from '../../format.js';
import { button, card, confirm, say } from '../../parts.js';
import { go } from '../../router.js';

/** @param {import('../extension.js').Subject} subject */
export function manageTab({ id, install, version }) {
  const isLeaving = install.delete_at !== null;
  return h('div', {},
    isLeaving ? leaving(id, install, version) : killSwitch(id, install),
    !isLeaving && install.previous_version && goingBack(id, install),
    exporting(id),
    !isLeaving && removal(id, version)); // prettier-ignore
}

/** @param {string} id */
function again(id) {
  go(`/extensions/${id}?tab=manage`, { replace: true });
}

/** @param {string} id @param {any} install */
function killSwitch(id, install) {
  const isOn = install.status === 'enabled';
  const turn = async () => {
    const status = isOn ? 'disabled' : 'enabled';
    if (isOn && !(await confirm('Turn it off?', 'Nobody of your organisation can use it from within five seconds on. Its settings and data stay.', 'Turn off'))) return;
    await api(`/installs/${id}`, { method: 'PATCH', json: { status } });
    say(isOn ? 'It is off.' : 'It is on.');
    again(id);
  }; // prettier-ignore
  const about = isOn ? 'Stops it for your whole organisation within five seconds. Everything it has stays.' : 'It is off: nobody can use it, and its schedules rest.';
  return card(isOn ? 'Turn off' : 'Turn on', h('p', {}, about), button(isOn ? 'Turn off' : 'Turn on', turn, { variant: isOn ? 'danger' : 'primary' }));
}

/** @param {string} id @param {any} install */
function goingBack(id, install) {
  const back = async () => {
    const consequence = `It stays at ${install.previous_version} until you choose another version. Settings, secrets and data stay.`;
    if (!(await confirm(`Go back to ${install.previous_version}?`, consequence, 'Go back'))) return;
    await api(`/installs/${id}/rollback`, { method: 'POST' });
    say(`It runs ${install.previous_version} again.`);
    again(id);
  };
  return card('Go back', h('p', {}, `Before ${install.version} it ran ${install.previous_version}.`), button(`Go back to ${install.previous_version}`, back));
}

/** @param {string} id */
function exporting(id) {
  const about = 'Everything it keeps for your organisation: settings, grants, the names of its secrets, its records and its log, one JSON object a line.';
  return card('Export', h('p', {}, about), button('Save its data', () => download(`/installs/${id}/export`, `${id}.ndjson`)));
}

/** @param {string} id @param {any} version */
function removal(id, version) {
  const remove = async () => {
    const consequence = 'It stops at once. For some days it can be restored; then its settings, secrets and records are deleted.';
    if (!(await confirm(`Uninstall ${version.title}?`, consequence, 'Uninstall', { word: id }))) return;
    await api(`/installs/${id}`, { method: 'DELETE' });
    say(`${version.title} is uninstalled.`);
    again(id);
  };
  return card('Uninstall', h('p', {}, 'Stops it. Its data stay for some days, in which it can be restored.'), button('Uninstall', remove, { variant: 'danger' }));
}

/** @param {string} id @param {any} install @param {any} version */
function leaving(id, install, version) {
  const restore = async () => {
    await api(`/installs/${id}/restore`, { method: 'POST' });
    say('It is restored, and off until you turn it on.');
    again(id);
  };
  const erase = async () => {
    const consequence = 'Its settings, secrets and records are deleted now. Nothing brings them back.';
    if (!(await confirm(`Delete ${version.title}?`, consequence, 'Delete', { word: id }))) return;
    const receipt = await api(`/installs/${id}/delete`, { method: 'POST' });
    const counts = Object.entries(receipt.deleted ?? {}).map(([kind, count]) => `${count} ${kind}`);
    say(`Deleted: ${counts.join(', ')}.`);
    go('/');
  };
  return card('Uninstalled',
    h('p', {}, `Its data are deleted on ${time(install.delete_at)}.`),
    h('div', { class: 'actions' }, button('Restore', restore, { variant: 'primary' }), button('Delete now', erase, { variant: 'danger' }))); // prettier-ignore
}
