/** Who made it, what vouches for it, what it asks for, and which versions there are. */
import { h } from '../../dom.js';
import { short, size, time } from '../../format.js';
import { card, facts, mark, table } from '../../parts.js';

const VERSIONS = [
  { key: 'version', label: 'Version' },
  { key: 'status', label: 'State', format: (/** @type {string} */ status) => mark(status, status === 'ready' ? 'good' : status === 'yanked' ? 'bad' : 'warn') },
  { key: 'created_at', label: 'Published', format: time },
  { key: 'content_hash', label: 'Bundle', format: (/** @type {string} */ hash) => h('code', { title: hash }, short(hash)) },
]; // prettier-ignore
const ENDPOINTS = [
  { key: 'method', label: 'Method' },
  { key: 'path', label: 'Path', format: (/** @type {string} */ path) => h('code', {}, path) },
  { key: 'roles', label: 'For', format: (/** @type {string[] | null} */ roles) => roles?.join(', ') || 'everybody' },
]; // prettier-ignore

/** @param {import('../extension.js').Subject} subject */
export function aboutTab({ extension, version }) {
  return h('div', {},
    version.description && h('p', {}, version.description),
    h('div', { class: 'halves' }, provenance(version), asks(version)),
    card('It answers to', table('Endpoints', ENDPOINTS, version.manifest.api?.endpoints ?? [], { empty: 'It has no endpoints.' })),
    card('Versions', table('Versions', VERSIONS, extension.versions))); // prettier-ignore
}

/** @param {any} version */
export function provenance(version) {
  return card('Provenance', facts([
    ['Publisher', version.publisher],
    ['Signed with', h('code', { title: version.signer_key_id }, short(version.signer_key_id))],
    ['Bundle', h('code', { title: version.content_hash }, short(version.content_hash))],
    ['Size', size(version.size)], ['Published', `${time(version.created_at)} by ${version.published_by}`],
  ])); // prettier-ignore
}

/** @param {any} version */
function asks({ capabilities }) {
  if (!capabilities.length) return card('It asks for', h('p', {}, 'Nothing beyond the request itself and its configuration.'));
  const items = capabilities.map((/** @type {any} */ ask) => h('li', {},
    h('strong', {}, ask.summary), ' ', ask.sensitive && mark('Sensitive', 'warn'),
    ask.hosts.length > 0 && h('span', { class: 'muted' }, ` ${ask.hosts.join(', ')}`),
    ask.operations.length > 0 && h('span', { class: 'muted' }, ` ${ask.operations.join(', ')}`),
    ask.purpose && h('q', { class: 'muted' }, ask.purpose))); // prettier-ignore
  return card('It asks for', h('ul', { class: 'plain' }, ...items));
}
