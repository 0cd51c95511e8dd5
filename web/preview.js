/**
 * The page of `oriel preview`: an extension's own UI in the real bridge, with answers from `mock.json`.
 *
 * It shows the UI in light and dark, in the widths of a phone and a desk, and lists what it calls. When a file changes,
 * the UI is loaded anew, at the place where it was.
 */
import { configureOriel, setLocale, setTheme } from './host.js';

const POLL_MS = 700;
const THEMES = {
  light: {
    'color-background': '#f6f7f9', 'color-surface': '#ffffff', 'color-text': '#1b2230', 'color-muted': '#5b6475',
    'color-border': '#dfe3ea', 'color-accent': '#2457d6', 'color-on-accent': '#ffffff', 'color-danger': '#b3261e',
    'color-success': '#18733e', 'color-warning': '#8a5a00', radius: '0.6rem', font: 'system-ui, sans-serif',
  },
  dark: {
    'color-background': '#12161d', 'color-surface': '#1a202a', 'color-text': '#e8ebf1', 'color-muted': '#a0a9ba',
    'color-border': '#2d3543', 'color-accent': '#8fb0ff', 'color-on-accent': '#101623', 'color-danger': '#ff9d94',
    'color-success': '#6fdc9c', 'color-warning': '#f0c14b', radius: '0.6rem', font: 'system-ui, sans-serif',
  },
}; // prettier-ignore

/**
 * @typedef {{method: string, path: string, status: number, note: string}} Call
 * @typedef {object} State
 * @property {string} extension_id
 * @property {string} content_hash
 * @property {string} entry
 * @property {string} title
 * @property {string} ui_origin
 * @property {string} problem
 * @property {Call[]} calls the last first
 */

const stage = /** @type {HTMLElement} */ (document.getElementById('stage'));
const problem = /** @type {HTMLElement} */ (document.getElementById('problem'));
const calls = /** @type {HTMLElement} */ (document.getElementById('calls'));
let state = await read();
let shown = '';

configureOriel({
  uiOrigin: state.ui_origin,
  getToken: () => 'preview',
  theme: theme(),
  locale: value('locale'),
  resolve: async () => ({ contentHash: state.content_hash, entry: state.entry, title: state.title }),
});
for (const name of ['scheme', 'width', 'locale']) document.getElementById(name)?.addEventListener('change', apply);
apply();
show();
setInterval(async () => {
  state = await read().catch(() => state);
  show();
}, POLL_MS);

/** @returns {Promise<State>} */
async function read() {
  return (await fetch('/preview/state')).json();
}

function show() {
  problem.textContent = state.problem;
  problem.hidden = !state.problem;
  document.title = `${state.title} · preview`;
  calls.replaceChildren(...state.calls.map(row));
  if (state.problem || state.content_hash === shown) return;
  const path = stage.firstElementChild?.getAttribute('path') ?? '/';
  const element = document.createElement('oriel-extension');
  element.setAttribute('extension', state.extension_id);
  element.setAttribute('path', path);
  stage.replaceChildren(element);
  shown = state.content_hash;
}

/** @param {Call} call */
function row({ method, path, status, note }) {
  const made = document.createElement('li');
  const code = document.createElement('b');
  code.textContent = String(status);
  made.dataset.kind = status < 400 ? 'good' : 'bad';
  made.append(code, ` ${method} ${path}`, ...(note ? [' ', Object.assign(document.createElement('small'), { textContent: note })] : []));
  return made;
}

function apply() {
  document.documentElement.dataset.scheme = value('scheme');
  stage.style.maxWidth = value('width');
  setTheme(theme());
  setLocale(value('locale'));
}

/** @returns {import('./host.js').Theme} */
function theme() {
  const scheme = value('scheme') === 'dark' ? 'dark' : 'light';
  return { scheme, tokens: THEMES[scheme] };
}

/** @param {string} id */
function value(id) {
  return /** @type {HTMLSelectElement} */ (document.getElementById(id)).value;
}
