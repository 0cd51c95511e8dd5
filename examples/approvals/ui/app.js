/** The page of Approvals: everything it shows comes from the extension's own handler. */
import { oriel } from '/oriel/guest.js';
import '/oriel/guest/components.js';

const $ = (selector, root = document) => root.querySelector(selector);

const state = { claims: [], cursor: null, me: null, policy: null, status: '' };

/** Call the handler; a problem answer is an Error with its `detail`, `code` and `field`. */
async function api(path, { method = 'GET', body } = {}) {
  const json = body && JSON.stringify(body);
  const headers = json ? { 'content-type': 'application/json' } : {};
  const answer = await oriel.fetch(path, { method, headers, body: json ?? null });
  if (answer.ok) return answer;
  const problem = await answer.json().catch(() => ({}));
  throw Object.assign(new Error(problem.detail ?? `The server answered ${answer.status}.`), problem);
}

async function load({ more = false } = {}) {
  const query = more && state.cursor ? `?cursor=${encodeURIComponent(state.cursor)}` : '';
  const { claims, cursor, me, policy, categories } = await (await api(`/claims${query}`)).json();
  Object.assign(state, { claims: more ? [...state.claims, ...claims] : claims, cursor, me, policy });
  $('[name=category]').replaceChildren(...categories.map((name) => new Option(name)));
  render();
}

function money(cents) {
  const format = { style: 'currency', currency: state.policy.currency };
  return new Intl.NumberFormat(oriel.context.locale, format).format(cents / 100);
}

function day(iso) {
  return new Intl.DateTimeFormat(oriel.context.locale, { dateStyle: 'medium' }).format(new Date(iso));
}

function render() {
  const shown = state.claims.filter(({ status }) => !state.status || status === state.status);
  $('#claims').replaceChildren(...shown.map(card));
  $('#empty').hidden = shown.length > 0;
  $('#more').hidden = !state.cursor;
  for (const button of $('#filters').children) {
    button.setAttribute('aria-pressed', String(button.dataset.status === state.status));
  }
  renderFigures();
}

function renderFigures() {
  const sum = (status) => state.claims.filter((claim) => claim.status === status).reduce((all, { amount }) => all + amount, 0);
  const waiting = state.claims.filter(({ status }) => status === 'pending').length;
  const figures = [['Waiting', waiting], ['Waiting, in all', money(sum('pending'))], ['Approved', money(sum('approved'))]];
  $('#figures').replaceChildren(...figures.map(([name, value]) => {
    const box = document.createElement('div');
    box.append(text('dt', name), text('dd', value));
    return box;
  }));
}

function card(claim) {
  const item = $('#claim').content.cloneNode(true).firstElementChild;
  item.dataset.status = claim.status;
  $('.title', item).textContent = claim.title;
  $('.about', item).textContent = `${claim.category} · ${claim.submitted_by} · ${day(claim.submitted_at)}`;
  $('.note', item).textContent = claim.note;
  $('.amount', item).textContent = money(claim.amount);
  $('.status', item).textContent = { pending: 'Waiting', approved: 'Approved', rejected: 'Rejected' }[claim.status];
  if (claim.status !== 'pending') {
    const comment = claim.comment ? `: ${claim.comment}` : '';
    $('.decided', item).textContent = `${claim.decided_by}, ${day(claim.decided_at)}${comment}`;
  }
  const own = claim.submitter_id === state.me.id && !state.policy.allow_own;
  if (claim.status !== 'pending' || !state.me.may_decide || own) $('.actions', item).remove();
  else $('.actions', item).addEventListener('click', ({ target }) => target.dataset.decision && choose(claim, target.dataset.decision));
  return item;
}

function text(name, content) {
  const element = document.createElement(name);
  element.textContent = content;
  return element;
}

async function choose(claim, decision) {
  if (decision === 'approved') {
    await attempt(() => decide(claim, { decision }));
    return;
  }
  submitting($('#reject-dialog'), (form) => decide(claim, { decision, comment: form.get('comment') }));
}

async function decide(claim, body) {
  try {
    await api(`/claims/${claim.id}/decision`, { method: 'POST', body });
    oriel.toast(`${claim.title}: ${body.decision}.`, 'success');
  } finally {
    await load();
  }
}

async function submit(form) {
  const amount = Math.round(Number(form.get('amount').replace(',', '.')) * 100);
  const body = { title: form.get('title'), category: form.get('category'), note: form.get('note'), amount };
  const claim = await (await api('/claims', { method: 'POST', body })).json();
  oriel.toast(claim.status === 'approved' ? 'Approved at once.' : 'Submitted. Somebody will look at it.', 'success');
  await load();
}

/** Open a dialog; its form closes it where `send` succeeds, and shows what was wrong where not. */
function submitting(dialog, send) {
  const form = $('form', dialog);
  const note = $('.problem', form);
  const tell = ({ message = '', field }) => {
    for (const each of form.querySelectorAll('oriel-field')) each.problem = each.name === field ? message : '';
    const named = form.elements[field];
    note.textContent = named ? '' : message;
    note.hidden = !note.textContent;
    named?.focus();
  };
  form.reset();
  tell({});
  form.oninput = () => tell({});
  form.onsubmit = async (event) => {
    event.preventDefault();
    const button = $('[type=submit]', form);
    button.busy = true;
    try {
      await send(new FormData(form));
      dialog.close();
    } catch (error) {
      tell(error);
    } finally {
      button.busy = false;
    }
  };
  dialog.showModal();
}

/** The whole export, part by part. */
async function table(cursor = null) {
  const part = await api(cursor ? `/claims.csv?cursor=${encodeURIComponent(cursor)}` : '/claims.csv');
  const next = part.headers.get('x-ext-cursor');
  return (await part.text()) + (next ? await table(next) : '');
}

async function attempt(work) {
  try {
    await work();
    $('#failure').hidden = true;
  } catch (error) {
    oriel.toast(error.message, 'error');
    if (!state.policy) {
      $('#failure').textContent = error.message;
      $('#failure').hidden = false;
    }
  }
}

$('#new').addEventListener('click', () => {
  const { currency, max_amount: most, auto_approve_up_to: small } = state.policy;
  $('[name=amount]').setAttribute('label', `Amount (${currency})`);
  $('#hint').textContent = `Up to ${money(small)} is approved at once; more than ${money(most)} is not accepted.`;
  submitting($('#claim-dialog'), submit);
});
$('#export').addEventListener('click', () => attempt(async () => {
  $('#csv').value = await table();
  $('#export-dialog').showModal();
  $('#csv').select();
}));
$('#more').addEventListener('click', () => attempt(() => load({ more: true })));
$('#filters').addEventListener('click', ({ target }) => {
  if (target.dataset.status === undefined) return;
  state.status = target.dataset.status;
  render();
});
for (const button of document.querySelectorAll('[data-close]')) {
  button.addEventListener('click', () => button.closest('dialog').close());
}
oriel.addEventListener('locale', render);

await oriel.ready();
await attempt(load);
$('main').removeAttribute('aria-busy');
