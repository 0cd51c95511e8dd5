/** What is published: to look at before installing. */
import { all } from '../api.js';
import { h } from '../dom.js';
import { link, mark, pageHead } from '../parts.js';

/** @returns {Promise<Node>} */
export async function cataloguePage() {
  const [extensions, installs] = await Promise.all([all('/extensions'), all('/installs')]);
  const installed = new Set(installs.map(({ extension_id: id }) => id));
  const offered = extensions.filter(({ latest }) => latest !== null);
  const list = h('ul', { class: 'tiles' }, ...offered.map((one) => tile(one, installed.has(one.extension_id))));
  const count = h('p', { class: 'muted small', role: 'status' });
  const search = h(/** @type {any} */ ('oriel-field'), { label: 'Search', type: 'search', required: false });
  const narrow = () => {
    const found = narrowed(list, search.value ?? '');
    count.textContent = `${found} of ${offered.length} extensions`;
  };
  search.addEventListener('input', narrow);
  queueMicrotask(narrow);
  return h('div', {}, pageHead('Catalogue', 'Extensions that are offered to your organisation.'), search, count, list);
}

/** Hide what does not match; how many are left. @param {HTMLElement} list @param {string} text */
function narrowed(list, text) {
  const wanted = text.trim().toLowerCase();
  let left = 0;
  for (const item of /** @type {NodeListOf<HTMLElement>} */ (list.querySelectorAll('li'))) {
    item.hidden = !(item.textContent ?? '').toLowerCase().includes(wanted);
    left += Number(!item.hidden);
  }
  return left;
}

/** @param {any} extension @param {boolean} isInstalled */
function tile({ extension_id: id, title, publisher, latest }, isInstalled) {
  return h('li', { class: 'card tile' },
    h('h2', {}, link(`/extensions/${id}`, title ?? id)),
    h('p', { class: 'muted small' }, h('code', {}, id), ` ${latest} by ${publisher}`),
    isInstalled && h('p', { class: 'marks' }, mark('Installed', 'good'))); // prettier-ignore
}
