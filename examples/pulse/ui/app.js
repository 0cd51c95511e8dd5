/** The page of Pulse: everything it shows comes from the extension's own handler. */
import { oriel } from '/oriel/guest.js';
import '/oriel/guest/components.js';

const REFRESH_MS = 10_000;
const TONES = { low: 'danger', middle: 'warning', high: 'success' };

const $ = (selector, root = document) => root.querySelector(selector);

let cursor = null;

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

async function loadBoard() {
  const board = await api('/board');
  $('#question').textContent = board.question;
  $('#score').textContent = board.score === null ? '–' : signed(board.score);
  $('.score').dataset.tone = board.score === null ? '' : board.score < 0 ? 'low' : board.score < 50 ? 'middle' : 'high';
  $('#answers').textContent = `${board.answers} ${board.answers === 1 ? 'answer' : 'answers'} in 13 weeks`;
  const labels = board.weeks.map(({ start }) => shortDay(start));
  $('#trend').data = { labels, series: [{ name: 'Score', values: board.weeks.map(({ score }) => score) }] };
  const tones = board.counts.map((_, mark) => TONES[tone(mark)]);
  $('#marks').data = { labels: board.counts.map((_, mark) => `${mark}`), series: [{ name: 'Answers', values: board.counts, tones }] };
}

async function loadAnswers({ more = false } = {}) {
  const found = await api(more ? `/answers?cursor=${encodeURIComponent(cursor)}` : '/answers');
  cursor = found.cursor;
  const items = found.answers.map(item);
  if (more) $('#list').append(...items);
  else $('#list').replaceChildren(...items);
  $('#more').hidden = !cursor;
  $('#empty').hidden = $('#list').childElementCount > 0;
}

function item(answer) {
  const made = $('#answer').content.cloneNode(true).firstElementChild;
  made.dataset.tone = tone(answer.score);
  $('.mark', made).textContent = answer.score;
  $('.comment', made).textContent = answer.comment;
  $('small', made).textContent = [answer.customer, shortDay(answer.at)].filter(Boolean).join(' · ');
  $('oriel-button', made).addEventListener('click', () => attempt(() => forget(answer)));
  return made;
}

async function forget(answer) {
  const title = 'Forget this answer?';
  if (!(await oriel.confirm({ title, message: 'It leaves the score as well.', confirmLabel: 'Forget', danger: true }))) return;
  await api(`/answers/${answer.id}`, { method: 'DELETE' });
  await load();
}

async function submit(form) {
  const data = new FormData(form);
  const mark = data.get('score');
  if (mark === null) throw new Error('Choose a mark from 0 to 10.');
  const body = { score: Number(mark), customer: data.get('customer'), comment: data.get('comment') };
  const { alert } = await api('/answers', { method: 'POST', body });
  form.reset();
  oriel.toast(alert === 'sent' ? 'Written down; your team knows.' : 'Written down.', 'success');
  await load();
}

async function load() {
  await Promise.all([loadBoard(), loadAnswers()]);
}

async function attempt(work, at = $('#failure')) {
  try {
    await work();
    at.hidden = true;
  } catch (error) {
    at.textContent = error.message;
    at.hidden = false;
  }
}

/** `low` for 0 to 6, `middle` for 7 and 8, `high` for 9 and 10. */
function tone(mark) {
  return mark <= 6 ? 'low' : mark <= 8 ? 'middle' : 'high';
}

function signed(score) {
  return score > 0 ? `+${score}` : String(score).replace('-', '−');
}

function shortDay(iso) {
  return new Intl.DateTimeFormat(oriel.context.locale, { day: 'numeric', month: 'short' }).format(new Date(iso));
}

$('#scale').append(...Array.from({ length: 11 }, (_, mark) => {
  const label = document.createElement('label');
  const input = Object.assign(document.createElement('input'), { type: 'radio', name: 'score', value: mark });
  label.dataset.tone = tone(mark);
  label.append(input, String(mark));
  return label;
}));
$('#form').addEventListener('submit', async (event) => {
  event.preventDefault();
  const button = $('#form oriel-button');
  button.busy = true;
  await attempt(() => submit(event.target), $('#problem'));
  button.busy = false;
});
$('#more').addEventListener('click', () => attempt(() => loadAnswers({ more: true })));
oriel.addEventListener('locale', () => attempt(load));

await oriel.ready();
await attempt(load);
$('main').removeAttribute('aria-busy');
setInterval(() => document.visibilityState === 'visible' && attempt(loadBoard), REFRESH_MS);
