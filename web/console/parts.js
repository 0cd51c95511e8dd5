/** What pages are made of: heads, cards, marks, questions, and what is said when something goes wrong. */
import { Problem } from './api.js';
import { h } from './dom.js';
import './mark.js';
import { ROOT } from './router.js';

/** @typedef {import('./dom.js').Child} Child */
/** @typedef {'good' | 'bad' | 'warn' | ''} Tone */

/** @type {Record<string, [string, Tone]>} */
const STATES = { enabled: ['On', 'good'], disabled: ['Off', 'bad'], uninstalled: ['Uninstalled', 'bad'] };

/** @param {string} title @param {Child} [about] @param {...Child} actions */
export function pageHead(title, about, ...actions) {
  document.title = `${title} · Extensions`;
  return h('header', { class: 'page-head' },
    h('div', {}, h('h1', { tabindex: -1 }, title), about && h('p', { class: 'muted' }, about)),
    actions.length > 0 && h('div', { class: 'actions' }, ...actions)); // prettier-ignore
}

/** @param {string | null} title @param {...Child} children */
export function card(title, ...children) {
  return h('section', { class: 'card' }, title && h('h2', {}, title), ...children);
}

/** @param {string} path below the console's root @param {Child} text @param {string} [look] */
export function link(path, text, look) {
  return h('a', { href: ROOT + path, class: look }, text);
}

/** A word on a ground of its colour. @param {string} text @param {Tone} [tone] */
export function mark(text, tone = '') {
  return h(/** @type {any} */ ('console-mark'), { tone: tone || null }, text);
}

/** Whether an install runs. @param {any} install null where there is none */
export function stateMark(install) {
  if (!install) return mark('Not installed');
  const [word, tone] = STATES[install.status] ?? [install.status, 'bad'];
  return mark(word, tone);
}

/**
 * @param {string} label
 * @param {() => unknown} act a promise keeps the button busy until it is settled; a failure is said
 * @param {{variant?: string, size?: string, type?: string, disabled?: boolean}} [look]
 */
export function button(label, act, look = {}) {
  const made = h(/** @type {any} */ ('oriel-button'), look, label);
  made.addEventListener('click', async () => {
    made.toggleAttribute('busy', true);
    try {
      await act();
    } catch (error) {
      say(error);
    } finally {
      made.toggleAttribute('busy', false);
    }
  });
  return made;
}

/** Term and value, one below the other or side by side. @param {[string, Child][]} entries */
export function facts(entries) {
  const rows = entries.map(([term, value]) => h('div', {}, h('dt', {}, term), h('dd', {}, value)));
  return h('dl', { class: 'facts' }, ...rows);
}

/** A listing as a table. @param {string} label @param {object[]} columns @param {object[]} rows @param {object} [more] */
export function table(label, columns, rows, more = {}) {
  return h(/** @type {any} */ ('oriel-table'), { label, columns, rows, ...more });
}

/**
 * A listing as a table that grows page by page.
 *
 * @param {string} label
 * @param {object[]} columns
 * @param {(cursor: string | null) => Promise<{items: any[], cursor: string | null}>} load a page; of null, the first
 * @param {object} [more]
 */
export async function pagedTable(label, columns, load, more = {}) {
  const rows = table(label, columns, [], more);
  let cursor = /** @type {string | null} */ (null);
  const grow = async () => {
    const page = await load(cursor);
    cursor = page.cursor;
    rows.rows = [...rows.rows, ...page.items];
    rows.toggleAttribute('more', cursor !== null);
  };
  rows.addEventListener('oriel-more', grow);
  await grow();
  return rows;
}

/** What went wrong, in place of what it was about. @param {unknown} error */
export function problemCard(error) {
  const { title, detail, hint, findings, requestId } = told(error);
  return h('section', { class: 'card problem', role: 'alert' },
    h('h2', {}, title), h('p', {}, detail), hint && h('p', {}, hint),
    findings.length > 0 && h('ul', {}, ...findings.map(({ at, message }) => h('li', {}, h('code', {}, at), ` ${message}`))),
    requestId && h('p', { class: 'muted small' }, 'Request ', h('code', {}, requestId))); // prettier-ignore
}

/** Say a short thing over the page. @param {unknown} what text, or an error */
export function say(what) {
  const isError = typeof what !== 'string';
  const { detail, hint, findings } = isError ? told(what) : { detail: what, hint: '', findings: [] };
  const found = findings.map(({ at, message }) => `${at} ${message}`);
  const text = [detail, ...found, hint].filter(Boolean).join(' ');
  const kind = isError ? 'error' : 'success';
  const toast = h(/** @type {any} */ ('oriel-toast'), { kind, open: true, timeout: isError ? null : 5_000 }, text);
  toast.addEventListener('oriel-close', () => toast.remove());
  document.getElementById('toasts')?.append(toast);
}

/** @param {unknown} error */
function told(error) {
  if (error instanceof Problem) {
    const title = error.status === 403 ? 'Not permitted' : error.status === 404 ? 'Not here' : 'This did not work';
    return { title, detail: error.message, hint: error.hint, findings: error.findings, requestId: error.requestId };
  }
  console.error(error);
  const detail = error instanceof Error ? error.message : 'Something unexpected happened.';
  return { title: 'This did not work', detail, hint: '', findings: [], requestId: '' };
}

/**
 * Ask before doing what cannot be undone at once. Escape and "Cancel" are no.
 *
 * @param {string} question
 * @param {string} consequence
 * @param {string} yes what the button says that does it
 * @param {{word?: string}} [options] a word that has to be typed first
 * @returns {Promise<boolean>}
 */
export function confirm(question, consequence, yes, { word } = {}) {
  const typed = word && h(/** @type {any} */ ('oriel-field'), { label: `Type ${word} to confirm`, required: true, autocomplete: 'off' });
  const dialog = h('dialog', { class: 'ask', 'aria-labelledby': 'ask-title' });
  const { promise, resolve } = withResolvers();
  const close = (/** @type {boolean} */ answer) => {
    if (answer && typed && typed.value !== word) {
      typed.setAttribute('problem', `This is not ${word}.`);
      return;
    }
    dialog.close();
    dialog.remove();
    resolve(answer);
  };
  dialog.addEventListener('cancel', (event) => {
    event.preventDefault();
    close(false);
  });
  dialog.append(
    h('h2', { id: 'ask-title' }, question), h('p', {}, consequence), ...(typed ? [typed] : []),
    h('div', { class: 'actions' }, button('Cancel', () => close(false)), button(yes, () => close(true), { variant: 'danger' })),
  ); // prettier-ignore
  document.body.append(dialog);
  dialog.showModal();
  return promise;
}

/** @returns {{promise: Promise<boolean>, resolve: (answer: boolean) => void}} */
function withResolvers() {
  let resolve = (/** @type {boolean} */ _answer) => {};
  const promise = new Promise((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

/** A bar for a share of a whole, with the figures in words. @param {string} label @param {number} used @param {number | null} of @param {(value: number) => string} words */
export function meter(label, used, of, words) {
  const share = of ? Math.min(used / of, 1) : 0;
  const tone = share >= 1 ? 'bad' : share >= 0.8 ? 'warn' : '';
  const said = of === null ? `${words(used)}, no limit` : `${words(used)} of ${words(of)}`;
  return h('div', { class: 'meter' },
    h('div', { class: 'meter-words' }, h('span', {}, label), h('span', { class: 'muted' }, said)),
    of !== null && h('div', { class: `bar ${tone}`, role: 'meter', 'aria-label': label, 'aria-valuemin': 0, 'aria-valuemax': of,
      'aria-valuenow': Math.min(used, of), 'aria-valuetext': said }, barFill(share))); // prettier-ignore
}

/** @param {number} share */
function barFill(share) {
  const fill = h('i');
  fill.style.inlineSize = `${share * 100}%`;
  return fill;
}
