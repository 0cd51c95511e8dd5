/** What runs by itself: when next, what became of it, and whether it goes on. */
import { all, api, Problem } from '../api.js';
import { h } from '../dom.js';
import { time } from '../format.js';
import { button, card, confirm, facts, link, mark, pageHead, say, table } from '../parts.js';
import { go } from '../router.js';

/** @returns {Promise<Node>} */
export async function schedulesPage() {
  const schedules = await all('/schedules');
  const columns = [
    { key: 'name', label: 'Schedule', format: (/** @type {string} */ name, /** @type {any} */ row) => link(`/schedules/${row.schedule_id}`, name) },
    { key: 'extension_id', label: 'Extension', format: (/** @type {string} */ id) => link(`/extensions/${id}`, id) },
    { key: 'cron', label: 'When', format: (/** @type {string} */ _, /** @type {any} */ row) => when(row) },
    { key: 'enabled', label: 'State', format: (/** @type {boolean} */ _, /** @type {any} */ row) => state(row) },
    { key: 'next_runs', label: 'Next', format: (/** @type {number[]} */ runs) => (runs.length ? time(runs[0]) : 'not by itself') },
  ]; // prettier-ignore
  return h('div', {},
    pageHead('Schedules', 'What extensions do at fixed times. Times are shown in your own zone.'),
    card(null, table('Schedules', columns, schedules, { empty: 'Nothing runs by itself.' }))); // prettier-ignore
}

/** @param {import('../router.js').Params} params @returns {Promise<Node>} */
export async function schedulePage({ id }) {
  const path = `/schedules/${encodeURIComponent(id)}`;
  const [schedule, runs] = await Promise.all([api(path), api(`${path}/runs`)]);
  const change = async (/** @type {object} */ json, /** @type {string} */ said) => {
    await api(path, { method: 'PATCH', json });
    done(said);
  };
  const done = (/** @type {string} */ said) => {
    say(said);
    go(`/schedules/${id}`, { replace: true });
  };
  const run = async () => {
    await api(`${path}/runs`, { method: 'POST' });
    done('It runs now; reload to see what came of it.');
  };
  const remove = async () => {
    if (!(await confirm(`Delete ${schedule.name}?`, 'It does not run any more, and its history goes.', 'Delete'))) return;
    await api(path, { method: 'DELETE' });
    go('/schedules', { replace: true });
  };
  const { enabled } = schedule;
  return h('div', {},
    pageHead(schedule.name, h('span', {}, 'Of ', link(`/extensions/${schedule.extension_id}`, schedule.extension_id)),
      button('Run now', run), button(enabled ? 'Pause' : 'Resume', () => change({ enabled: !enabled }, enabled ? 'It pauses.' : 'It goes on.')),
      schedule.origin !== 'manifest' && button('Delete', remove, { variant: 'danger' })),
    h('div', { class: 'halves' }, about(schedule), next(schedule)),
    times(schedule, change),
    card('History', table('Runs', RUNS, runs.items, { empty: 'It has not run yet.' }))); // prettier-ignore
}

/** @param {any} schedule */
function about(schedule) {
  return card('Schedule', facts([
    ['State', state(schedule)], ['When', when(schedule)], ['Calls', h('code', {}, `${schedule.method} ${schedule.path}`)],
    ['Missed times', schedule.missed === 'once' ? 'are made up for once' : 'are left out'],
    ['While a run goes on', schedule.overlap ? 'the next may begin' : 'the next waits for its turn'], ['Made by', `the ${schedule.origin}`],
  ])); // prettier-ignore
}

/** @param {any} schedule */
function next({ next_runs: runs }) {
  const lines = runs.map((/** @type {number} */ at) => h('li', {}, time(at)));
  return card('Next runs', runs.length ? h('ol', { class: 'plain' }, ...lines) : h('p', { class: 'muted' }, 'It does not run by itself.'));
}

/** Other times, looked at before they are taken. @param {any} schedule @param {(json: object, said: string) => Promise<void>} change */
function times(schedule, change) {
  const cron = h(/** @type {any} */ ('oriel-field'), { label: 'Minute, hour, day, month, weekday', name: 'cron', value: schedule.cron, required: true });
  const zone = h(/** @type {any} */ ('oriel-field'), { label: 'Time zone', name: 'timezone', value: schedule.timezone, required: true });
  const seen = h('p', { role: 'status', class: 'muted' });
  const given = () => ({ cron: cron.value, timezone: zone.value });
  const look = async () => {
    const { next_runs: runs } = await api('/schedules/preview', { method: 'POST', json: given() });
    seen.textContent = `It would run ${runs.map(time).join(', ')}.`;
  };
  const checked = (/** @type {() => Promise<void>} */ act) => async () => {
    for (const field of [cron, zone]) field.removeAttribute('problem');
    try {
      await act();
    } catch (error) {
      const findings = error instanceof Problem ? error.findings : [];
      for (const { at, message } of findings) (at === 'cron' ? cron : zone).setAttribute('problem', message);
      throw error;
    }
  };
  return card('Change when it runs', h('div', { class: 'settings' }, cron, zone), seen,
    h('div', { class: 'actions' }, button('Look', checked(look)), button('Save', checked(() => change(given(), 'It runs at other times now.')), { variant: 'primary' }))); // prettier-ignore
}

/** @param {any} schedule */
function when({ cron, timezone }) {
  return h('span', {}, h('code', {}, cron), ` ${timezone}`);
}

/** @param {any} schedule */
function state({ enabled, off_reason: reason }) {
  return enabled ? mark('On', 'good') : mark(reason ? `Off: ${reason.replaceAll('_', ' ')}` : 'Off', 'warn');
}

/** @type {Record<string, 'good' | 'bad' | 'warn' | ''>} */
const TONES = { succeeded: 'good', failed: 'bad', running: 'warn', queued: 'warn' };
const RUNS = [
  { key: 'created_at', label: 'When', format: time },
  { key: 'scheduled_at', label: 'Why', format: (/** @type {number | null} */ at) => (at === null ? 'asked for' : 'its time') },
  { key: 'state', label: 'State', format: (/** @type {string} */ word) => mark(word, TONES[word] ?? '') },
  { key: 'reason', label: 'Reason', format: (/** @type {string | null} */ reason) => reason ?? '' },
  { key: 'execution_id', label: 'Execution', format: (/** @type {string | null} */ id) => (id === null ? '' : link(`/activity/${id}`, 'Look')) },
]; // prettier-ignore
