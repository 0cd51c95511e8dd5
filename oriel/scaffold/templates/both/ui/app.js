/** The page. Everything it shows comes from the extension's own handler, called as the signed-in user. */
import { oriel } from '/oriel/guest.js';
import '/oriel/guest/components.js';

const $ = (selector, root = document) => root.querySelector(selector);

/** Call the handler; a problem answer is an Error with its `detail`. */
async function api(path, { method = 'GET', body } = {}) {
  const headers = body ? { 'content-type': 'application/json' } : {};
  const answer = await oriel.fetch(path, { method, headers, body: body ? JSON.stringify(body) : null });
  if (answer.status === 204) return null;
  const value = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(value.detail ?? `The server answered ${answer.status}.`);
  return value;
}

async function load() {
  const { notes } = await api('/notes');
  $('#notes').replaceChildren(...notes.map(item));
  $('#empty').hidden = notes.length > 0;
}

function item({ id, text }) {
  const made = $('#note').content.cloneNode(true).firstElementChild;
  $('span', made).textContent = text;
  $('oriel-button', made).addEventListener('click', () => attempt(() => remove(id)));
  return made;
}

async function remove(id) {
  await api(`/notes/${id}`, { method: 'DELETE' });
  await load();
}

async function attempt(work) {
  try {
    await work();
    $('#failure').close();
  } catch (error) {
    $('#failure').show(error.message, 'error');
  }
}

$('#form').addEventListener('submit', (event) => {
  event.preventDefault();
  const form = event.target;
  attempt(async () => {
    await api('/notes', { method: 'POST', body: { text: new FormData(form).get('text') } });
    form.reset();
    await load();
  });
});

await oriel.ready();
await attempt(load);
$('main').removeAttribute('aria-busy');
