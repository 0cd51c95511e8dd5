/** The console: who works with it, its frame, and a page for each place. */
import './guest/components.js';
import { api } from './console/api.js';
import { h } from './console/dom.js';
import { activityPage } from './console/pages/activity.js';
import { auditPage } from './console/pages/audit.js';
import { cataloguePage } from './console/pages/catalogue.js';
import { installPage, upgradePage } from './console/pages/consent.js';
import { eventPage, eventsPage } from './console/pages/events.js';
import { executionPage } from './console/pages/execution.js';
import { extensionPage } from './console/pages/extension.js';
import { installedPage } from './console/pages/installed.js';
import { operateExtensionPage, operatePage, operatePublisherPage } from './console/pages/operate.js';
import { schedulePage, schedulesPage } from './console/pages/schedules.js';
import { signInPage } from './console/pages/sign_in.js';
import { usagePage } from './console/pages/usage.js';
import { link, problemCard } from './console/parts.js';
import { followLink, match, ROOT, route } from './console/router.js';
import { openSession, signedOut } from './console/session.js';

const ROUTES = [
  route('/', installedPage),
  route('/catalogue', cataloguePage),
  route('/extensions/:id', extensionPage),
  route('/extensions/:id/install', installPage),
  route('/extensions/:id/upgrade', upgradePage),
  route('/activity', activityPage),
  route('/activity/:id', executionPage),
  route('/events', eventsPage),
  route('/events/:id', eventPage),
  route('/schedules', schedulesPage),
  route('/schedules/:id', schedulePage),
  route('/usage', usagePage),
  route('/audit', auditPage),
  route('/operate', operatePage),
  route('/operate/extensions/:id', operateExtensionPage),
  route('/operate/publishers/:id', operatePublisherPage),
];
const PLACES = [
  { path: '/', label: 'Installed', needs: null },
  { path: '/catalogue', label: 'Catalogue', needs: null },
  { path: '/activity', label: 'Activity', needs: 'observe' },
  { path: '/events', label: 'Events', needs: 'configure' },
  { path: '/schedules', label: 'Schedules', needs: 'configure' },
  { path: '/usage', label: 'Usage', needs: 'observe' },
  { path: '/audit', label: 'Audit', needs: 'configure' },
  { path: '/operate', label: 'Operate', needs: 'operate' },
];

const root = /** @type {HTMLElement} */ (document.getElementById('app'));
/** @type {AbortController} */
let shown = new AbortController();

await start();

async function start() {
  document.addEventListener('click', followLink);
  addEventListener('popstate', () => show());
  try {
    if (await openSession(showSignIn)) await openShell();
    else showSignIn();
  } catch (error) {
    showSignIn(error);
  }
  root.removeAttribute('aria-busy');
}

/** @param {unknown} [error] why nobody is signed in */
function showSignIn(error) {
  shown.abort();
  root.replaceChildren(signInPage(openShell, error));
}

async function openShell() {
  const me = await api('/me');
  const places = PLACES.filter(({ needs }) => needs === null || me.permissions.includes(needs));
  root.replaceChildren(
    h('div', { class: 'shell' },
      h('aside', {},
        h('p', { class: 'brand' }, 'Extensions'),
        h('nav', { 'aria-label': 'Main' }, h('ul', {}, ...places.map(({ path, label }) => h('li', {}, link(path, label))))),
        person(me)),
      h('main', { id: 'main', tabindex: -1 })),
    h('div', { id: 'toasts' }),
  ); // prettier-ignore
  await show();
}

/** @param {any} me */
function person(me) {
  const leave = h('button', { type: 'button', class: 'quiet', onclick: signedOut }, 'Sign out');
  const where = me.tenant_id ?? 'the platform';
  return h('div', { class: 'person' }, h('strong', {}, me.name ?? me.subject), h('span', { class: 'muted' }, where), leave);
}

async function show() {
  const main = document.getElementById('main');
  if (!main) return;
  shown.abort();
  shown = new AbortController();
  const { signal } = shown;
  markPlace();
  main.setAttribute('aria-busy', 'true');
  const page = await rendered(signal);
  if (signal.aborted) return;
  main.replaceChildren(page);
  main.removeAttribute('aria-busy');
  scrollTo(0, 0);
  /** @type {HTMLElement | null} */ (main.querySelector('h1'))?.focus({ preventScroll: true });
}

/** @param {AbortSignal} signal */
async function rendered(signal) {
  const found = match(ROUTES, location.pathname);
  if (!found) return problemCard(new Error('The console has no such page.'));
  try {
    return await found.page(found.params, signal);
  } catch (error) {
    return problemCard(error);
  }
}

function markPlace() {
  const path = location.pathname.slice(ROOT.length) || '/';
  const place = path.startsWith('/extensions/') ? '/' : `/${path.split('/')[1]}`;
  for (const one of /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll('nav a'))) {
    if (one.pathname.replace(/\/$/, '') === (ROOT + place).replace(/\/$/, '')) one.setAttribute('aria-current', 'page');
    else one.removeAttribute('aria-current');
  }
}
