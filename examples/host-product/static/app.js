/** Halden's one page: its frame, its menu with the customer's extensions, and the way between its places. */
import { buildExtUiSrc, configureOriel } from '/oriel/host.js';
import { h } from './dom.js';
import { callPlatform, getToken, readSession, signIn, signOut } from './session.js';
import { applyScheme, scheme, theme, toggleScheme } from './theme.js';
import { extensionPage, face, messagePage, ordersPage, overviewPage, signInPage } from './views.js';

const EXTENSION_PLACE = /^\/apps\/([^/]+)(\/.*)?$/;
const MENU_KEY = 'Mod+k'; // to the menu, from the product's own pages and from within an extension
const root = /** @type {HTMLElement} */ (document.getElementById('app'));
const session = await readSession();
/** @type {any[]} */
let menu = [];

document.body.dataset.accent = session.user?.accent ?? 'teal';
applyScheme();
if (session.user) await startShell();
else showSignIn();
root.removeAttribute('aria-busy');

function showSignIn() {
  document.title = 'Sign in · Halden';
  const onChoose = async (/** @type {string} */ user) => {
    await signIn(user);
    location.assign('/');
  };
  root.replaceChildren(signInPage({ people: session.people, onChoose }));
}

async function startShell() {
  configureOriel({ uiOrigin: session.ui_origin, getToken, theme: theme(), locale: 'en', resolve, hotkeys: [MENU_KEY] });
  const problem = await loadMenu();
  root.replaceChildren(h('div', { class: 'shell' }, sidebar(problem), h('div', { id: 'place' })));
  document.addEventListener('click', followLink);
  addEventListener('popstate', show);
  addEventListener('keydown', (event) => event.key === 'k' && (event.ctrlKey || event.metaKey) && toMenu(event));
  addEventListener('oriel-hotkey', toMenu);
  await show();
}

/** @param {Event} event */
function toMenu(event) {
  event.preventDefault();
  const found = document.querySelector('.sidebar [aria-current]') ?? document.querySelector('.sidebar nav a');
  /** @type {HTMLElement | null} */ (found)?.focus();
}

async function loadMenu() {
  try {
    const { items } = await callPlatform('/api/v1/menu');
    menu = items.filter((/** @type {any} */ { hook }) => hook === 'appMenu');
    return menu.length ? null : 'None is installed yet.';
  } catch (error) {
    console.error(error);
    return 'The list cannot be read at the moment.';
  }
}

/** @param {string} extensionId */
async function resolve(extensionId) {
  const item = menu.find((candidate) => candidate.extension_id === extensionId);
  return item && { contentHash: item.content_hash, entry: item.entry, title: item.title, version: item.version };
}

/** @param {string | null} problem why there are no extensions to show */
function sidebar(problem) {
  const extensions = menu.map((item) => link(`/apps/${item.extension_id}${item.path}`, item.label, iconOf(item)));
  return h('aside', { class: 'sidebar' },
    h('p', { class: 'brand' }, 'Halden'),
    h('nav', { 'aria-label': 'Main' },
      h('ul', {}, link('/', 'Overview', '◧'), link('/orders', 'Orders', '☰')),
      h('h2', { id: 'extensions' }, 'Extensions'),
      problem ? h('p', { class: 'muted small' }, problem) : null,
      h('ul', { 'aria-labelledby': 'extensions' }, ...extensions),
    ),
    personMenu(),
  ); // prettier-ignore
}

/** An item's own image, from the UI origin. @param {any} item */
function iconOf({ extension_id: extensionId, content_hash: contentHash, icon }) {
  if (!icon) return undefined;
  const src = buildExtUiSrc({ uiOrigin: session.ui_origin, extensionId, contentHash, entry: icon });
  return h('img', { src, alt: '', width: 18, height: 18, crossorigin: 'anonymous', referrerpolicy: 'no-referrer' });
}

/** @param {string} href @param {string} label @param {Node | string} [icon] its first letter by default */
function link(href, label, icon = label.slice(0, 1).toUpperCase()) {
  return h('li', {}, h('a', { href }, h('span', { class: 'icon', 'aria-hidden': 'true' }, icon), label));
}

function personMenu() {
  const others = session.people.filter((/** @type {any} */ person) => person.id !== session.user.id);
  const go = (/** @type {string} */ user) => signIn(user).then(() => location.assign('/'));
  const choices = others.map((/** @type {any} */ person) =>
    h('li', {}, h('button', { type: 'button', class: 'person', onclick: () => go(person.id) }, ...face(person))),
  );
  const leave = () => signOut().then(() => location.assign('/sign-in'));
  const tint = h('button', { type: 'button', class: 'quiet', onclick: toggleScheme }, 'Light or dark');
  tint.setAttribute('aria-pressed', String(scheme() === 'dark'));
  tint.addEventListener('click', () => tint.setAttribute('aria-pressed', String(scheme() === 'dark')));
  const manages = session.user.roles.includes('admin');
  return h('div', { class: 'foot' },
    manages ? h('a', { class: 'quiet', href: '/console/' }, 'Manage extensions') : null,
    tint,
    h('details', { class: 'switch' },
      h('summary', { class: 'person' }, ...face(session.user)),
      h('div', { class: 'pop' },
        h('p', { class: 'muted small' }, 'Switch to'),
        h('ul', { class: 'people' }, ...choices),
        h('button', { type: 'button', class: 'quiet', onclick: leave }, 'Sign out'),
      ),
    ),
  ); // prettier-ignore
}

/** @param {MouseEvent} event */
function followLink(event) {
  const anchor = event.target instanceof Element ? event.target.closest('a') : null;
  const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey;
  if (!anchor || !isPlain || anchor.origin !== location.origin || anchor.hash) return;
  event.preventDefault();
  history.pushState(null, '', anchor.href);
  show();
}

async function show() {
  const place = /** @type {HTMLElement} */ (document.getElementById('place'));
  const match = EXTENSION_PLACE.exec(location.pathname);
  markCurrent();
  if (match) {
    showExtension(place, match[1], (match[2] ?? '/') + location.search);
    return;
  }
  const found = await ownPage();
  document.title = `${found.querySelector('h1')?.textContent} · Halden`;
  place.replaceChildren(found);
  if (history.state !== 'first') found.focus({ preventScroll: true });
}

async function ownPage() {
  if (location.pathname === '/' || location.pathname === '/sign-in') {
    return overviewPage({ user: session.user, ...(await (await fetch('/data/orders')).json()) });
  }
  if (location.pathname === '/orders') return ordersPage(await (await fetch('/data/orders')).json());
  return messagePage('There is no such page', 'Choose one from the menu.');
}

/**
 * @param {HTMLElement} place
 * @param {string} extensionId
 * @param {string} path
 */
function showExtension(place, extensionId, path) {
  const shown = place.querySelector('oriel-extension');
  if (shown?.getAttribute('extension') === extensionId) {
    shown.setAttribute('path', path);
    return;
  }
  const title = menu.find((item) => item.extension_id === extensionId)?.label ?? 'Extension';
  document.title = `${title} · Halden`;
  const onNavigate = (/** @type {CustomEvent} */ { detail }) => {
    const url = `/apps/${extensionId}${detail.path}`;
    if (detail.replace) history.replaceState(null, '', url);
    else history.pushState(null, '', url);
    markCurrent();
  };
  place.replaceChildren(extensionPage({ title, extensionId, path, onNavigate }));
}

/** The menu's most exact item for where we are. */
function markCurrent() {
  const links = [...document.querySelectorAll('.sidebar a')];
  const fits = (/** @type {any} */ { pathname }) =>
    pathname === '/' ? location.pathname === '/' : `${location.pathname}/`.startsWith(pathname.replace(/\/?$/, '/'));
  const best = links.filter(fits).sort((a, b) => /** @type {any} */ (b).pathname.length - /** @type {any} */ (a).pathname.length)[0];
  for (const anchor of links) anchor.toggleAttribute('aria-current', false);
  best?.setAttribute('aria-current', 'page');
}
