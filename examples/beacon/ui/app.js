/** The page of Beacon: everything it shows comes from the extension's own handler. */
import { oriel } from '/oriel/guest.js';
import '/oriel/guest/components.js';

const REFRESH_MS = 30_000;
const STATES = { up: 'up', down: 'down', unreachable: 'cannot be reached' };

const $ = (selector, root = document) => root.querySelector(selector);

/** Call the handler; a problem answer is an Error with its `detail`. */
async function api(path, { method = 'GET', body } = {}) {
  const json = body && JSON.stringify(body);
  const headers = json ? { 'content-type': 'application/json' } : {};
  const answer = await oriel.fetch(path, { method, headers, body: json ?? null });
  if (answer.status === 204) return null;
  const value = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(value.detail ?? `The server answered ${answer.status}.`);
  return value;
}

async function load() {
  const { services, notices } = await api('/board');
  $('#services').replaceChildren(...services.map(service));
  $('#unwatched').hidden = services.length > 0;
  $('#notices').replaceChildren(...notices.map(notice));
  $('#silent').hidden = notices.length > 0;
}

function service({ name, state, status, ms }) {
  const made = $('#service').content.cloneNode(true).firstElementChild;
  made.dataset.tone = state;
  $('strong', made).textContent = name;
  $('span', made).textContent = [STATES[state], status && `${status}`, status && `${ms} ms`].filter(Boolean).join(' · ');
  return made;
}

function notice({ id, text, level, at }) {
  const made = $('#notice').content.cloneNode(true).firstElementChild;
  made.dataset.tone = level;
  $('p', made).textContent = text;
  const format = { dateStyle: 'medium', timeStyle: 'short' };
  $('small', made).textContent = new Intl.DateTimeFormat(oriel.context.locale, format).format(new Date(at));
  $('oriel-button', made).addEventListener('click', () => attempt(() => remove(id)));
  return made;
}

async function remove(id) {
  const title = 'Remove this notice?';
  if (!(await oriel.confirm({ title, message: 'Nobody will see it any more.', confirmLabel: 'Remove', danger: true }))) return;
  await api(`/notices/${id}`, { method: 'DELETE' });
  await load();
}

async function post(form) {
  await api('/notices', { method: 'POST', body: Object.fromEntries(new FormData(form)) });
  form.reset();
  oriel.toast('Posted.', 'success');
  await load();
}

async function attempt(work) {
  try {
    await work();
    $('#failure').hidden = true;
  } catch (error) {
    $('#failure').textContent = error.message;
    $('#failure').hidden = false;
  }
}

$('#form').addEventListener('submit', async (event) => {
  event.preventDefault();
  const button = $('#form oriel-button');
  button.busy = true;
  await attempt(() => post(event.target));
  button.busy = false;
});
oriel.addEventListener('locale', () => attempt(load));

await oriel.ready();
await attempt(load);
$('main').removeAttribute('aria-busy');
setInterval(() => document.visibilityState === 'visible' && attempt(load), REFRESH_MS);
