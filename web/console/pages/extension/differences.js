/** What another version changes, in words: more, less and other of each kind of thing. */
import { h } from '../../dom.js';
import { short, size } from '../../format.js';
import { card, facts, mark } from '../../parts.js';

/** @param {any} preview the answer of `GET /installs/{id}/upgrade` */
export function differences({ changes, needs_consent: asked }) {
  const { capabilities, hosts, operations, endpoints, settings, events, schedules, signer, size: sizes } = changes;
  /** @type {[string, import('../../dom.js').Child][]} */
  const rows = [
    ['Permissions', lines(capabilities.more.map(named), capabilities.less.map(named), [])],
    ['Hosts', lines(hosts.added, hosts.removed, [])],
    ['Operations', lines(operations.added, operations.removed, [])],
    ['Endpoints', lines(endpoints.added, endpoints.removed, endpoints.changed.map(named))],
    ['Settings', lines(settings.added, settings.removed, settings.changed.map(named))],
    ['Events', lines(events.added, events.removed, [])],
    ['Schedules', lines(schedules.added, schedules.removed, schedules.changed.map(named))],
    ['Signed with', signer.before === signer.after ? null : h('span', {}, mark('Another key', 'warn'), ' ', h('code', { title: signer.after }, short(signer.after)))],
    ['Size', sizes.before === sizes.after ? null : `${size(sizes.before)} → ${size(sizes.after)}`],
  ]; // prettier-ignore
  const changed = rows.filter(([, value]) => value !== null);
  return card('What changes',
    h('p', {}, asked.length ? mark('It asks for more', 'warn') : mark('It asks for nothing more', 'good')),
    changed.length ? facts(changed) : h('p', { class: 'muted' }, 'Nothing but its code.')); // prettier-ignore
}

/** @param {any} change */
function named({ name, hosts = [], operations = [] }) {
  const scope = [...hosts, ...operations];
  return scope.length ? `${name} (${scope.join(', ')})` : name;
}

/** @param {string[]} added @param {string[]} removed @param {string[]} changed */
function lines(added, removed, changed) {
  if (!added.length && !removed.length && !changed.length) return null;
  const all = [
    ...added.map((text) => line('more', 'warn', text)),
    ...removed.map((text) => line('less', 'good', text)),
    ...changed.map((text) => line('other', '', text)),
  ];
  return h('ul', { class: 'plain changes' }, ...all);
}

/** @param {string} word @param {'good' | 'warn' | ''} tone @param {string} text */
function line(word, tone, text) {
  return h('li', {}, mark(word, tone), ' ', h('code', {}, text));
}
