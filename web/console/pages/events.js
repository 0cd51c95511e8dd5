/** What has happened, who was told of it, and what could not be delivered. */
import { all, api, withQuery } from '../api.js';
import { h } from '../dom.js';
import { time } from '../format.js';
import { button, card, facts, link, mark, pagedTable, pageHead, say, table } from '../parts.js';
import { go } from '../router.js';

const code = (/** @type {string} */ text) => h('code', {}, text);
const TOPIC = { key: 'topic', label: 'Topic', format: (/** @type {string} */ topic, /** @type {any} */ row) => link(`/events/${row.event_id}`, topic) }; // prettier-ignore
const EVENTS = [
  { key: 'created_at', label: 'When', format: time },
  TOPIC,
  { key: 'source', label: 'From' },
  { key: 'key', label: 'Key', format: (/** @type {string | null} */ key) => (key === null ? '' : code(key)) },
]; // prettier-ignore
const SUBSCRIPTIONS = [
  { key: 'topic', label: 'Topic', format: code },
  { key: 'extension_id', label: 'Extension', format: (/** @type {string} */ id) => link(`/extensions/${id}`, id) },
  { key: 'path', label: 'Handler', format: code },
  { key: 'filter', label: 'Only where', format: (/** @type {object} */ filter) => (Object.keys(filter).length ? code(JSON.stringify(filter)) : '') },
]; // prettier-ignore

/** @returns {Promise<Node>} */
export async function eventsPage() {
  const load = (/** @type {string | null} */ cursor) => api(withQuery('/events', { cursor }));
  const [events, dead, subscriptions] = await Promise.all([
    pagedTable('Events', EVENTS, load, { empty: 'Nothing has happened yet.' }),
    api('/events/dead-letters'),
    all('/events/subscriptions'),
  ]);
  return h('div', {},
    pageHead('Events', 'What the product and its extensions tell each other. It is kept for some days.'),
    deadLetters(dead),
    card('Latest', events),
    card('Who is told', table('Subscriptions', SUBSCRIPTIONS, subscriptions, { empty: 'No extension listens to anything.' }))); // prettier-ignore
}

/** What was given up, with a way to try it again. @param {{items: any[], cursor: string | null}} dead */
function deadLetters({ items, cursor }) {
  if (items.length === 0) return null;
  const again = async (/** @type {string} */ path, /** @type {object | undefined} */ json) => {
    await api(path, { method: 'POST', json });
    say('On its way again.');
    go('/events', { replace: true });
  };
  const columns = [
    { key: 'updated_at', label: 'When', format: time },
    TOPIC,
    { key: 'extension_id', label: 'Extension' },
    { key: 'reason', label: 'Why', format: (/** @type {string | null} */ reason) => mark(reason ?? 'unknown', 'bad') },
    { key: 'attempts', label: 'Tried' },
    { key: 'delivery_id', label: 'Actions', format: (/** @type {string} */ id) =>
      button('Send again', () => again(`/events/dead-letters/${encodeURIComponent(id)}/redrive`, undefined), { size: 'small' }) },
  ]; // prettier-ignore
  return card('Not delivered',
    h('p', { class: 'muted' }, cursor ? 'The newest of them. They wait until you send them again, or expire.' : 'They wait until you send them again, or expire.'),
    table('Dead letters', columns, items),
    h('div', { class: 'actions bottom' }, button('Send all again', () => again('/events/dead-letters/redrive', {})))); // prettier-ignore
}

/** @param {import('../router.js').Params} params @returns {Promise<Node>} */
export async function eventPage({ id }) {
  const event = await api(`/events/${encodeURIComponent(id)}`);
  return h('div', {},
    pageHead(event.topic, h('span', {}, time(event.created_at), ' from ', event.source)),
    card('Event', facts([
      ['Event', code(event.event_id)], ['Key', event.key === null ? 'none' : code(event.key)],
      ['Because of', event.caused_by === null ? 'nothing before it' : code(event.caused_by)], ['Kept until', time(event.expires_at)],
    ]), h('h3', {}, 'Data'), h('pre', {}, JSON.stringify(event.data, null, 2))),
    card('Deliveries', table('Deliveries', DELIVERIES, event.deliveries, { empty: 'Nobody has subscribed to it.' }))); // prettier-ignore
}

/** @type {Record<string, 'good' | 'bad' | 'warn' | ''>} */
const TONES = { delivered: 'good', dead: 'bad', pending: 'warn' };
const DELIVERIES = [
  { key: 'extension_id', label: 'Extension', format: (/** @type {string} */ id) => link(`/extensions/${id}`, id) },
  { key: 'path', label: 'Handler', format: code },
  { key: 'state', label: 'State', format: (/** @type {string} */ state) => mark(state, TONES[state] ?? '') },
  { key: 'attempts', label: 'Tried' },
  { key: 'reason', label: 'Why', format: (/** @type {string | null} */ reason) => reason ?? '' },
  { key: 'execution_id', label: 'Execution', format: (/** @type {string | null} */ id) => (id === null ? '' : link(`/activity/${id}`, 'Look')) },
]; // prettier-ignore
