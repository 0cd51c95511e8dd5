/** What an extension asks for, in words, each with a switch; hosts and operations can be fewer than it asks for. */
import { h } from './dom.js';
import { mark } from './parts.js';

/**
 * @typedef {object} Ask
 * @property {string} name
 * @property {string} summary what it means, in a sentence
 * @property {string | null} purpose the publisher's reason
 * @property {string[]} hosts
 * @property {string[]} operations
 * @property {boolean} sensitive
 *
 * @typedef {{capability: string, hosts?: string[], operations?: string[]}} Grant
 */

/**
 * @param {Ask[]} asks
 * @param {Map<string, Grant>} granted what holds now, by the capability's name
 * @param {Set<string>} [fresh] names that were not asked for before
 * @returns {{element: HTMLElement, read: () => Grant[]}}
 */
export function grantChoices(asks, granted, fresh = new Set()) {
  const choices = asks.map((ask) => choice(ask, granted.get(ask.name), fresh.has(ask.name)));
  const nothing = h('p', {}, 'It asks for nothing beyond the request itself and its configuration.');
  const element = h('ul', { class: 'asks' }, ...choices.map((one) => one.element));
  return { element: asks.length ? element : nothing, read: () => choices.flatMap((one) => one.read()) };
}

/** @param {Ask} ask @param {Grant | undefined} granted @param {boolean} isFresh */
function choice(ask, granted, isFresh) {
  const box = h('input', { type: 'checkbox', name: ask.name, checked: granted !== undefined, role: 'switch' });
  const parts = [
    .../** @type {const} */ (['hosts', 'operations'])
      .filter((scope) => ask[scope].length > 0)
      .map((scope) => scopeChoice(scope, ask[scope], granted?.[scope] ?? ask[scope])),
  ];
  const follow = () => parts.forEach(({ element }) => element.toggleAttribute('disabled', !box.checked));
  box.addEventListener('change', follow);
  follow();
  const element = h('li', { class: 'ask' },
    h('label', {}, box, h('span', {},
      h('strong', {}, ask.summary), ' ',
      ask.sensitive && mark('Sensitive', 'warn'), isFresh && mark('New', 'warn'),
      ask.purpose && h('q', { class: 'muted' }, ask.purpose),
      h('code', { class: 'muted small' }, ask.name))),
    ...parts.map((part) => part.element)); // prettier-ignore
  const read = () => {
    if (!box.checked) return [];
    const scopes = Object.fromEntries(parts.map(({ scope, read: chosen }) => [scope, chosen()]));
    return Object.values(scopes).some((chosen) => chosen.length === 0) ? [] : [{ capability: ask.name, ...scopes }];
  };
  return { element, read };
}

/** @param {'hosts' | 'operations'} scope @param {string[]} asked @param {string[]} chosen */
function scopeChoice(scope, asked, chosen) {
  const held = new Set(chosen);
  const narrowed = chosen.filter((value) => !asked.includes(value));
  const boxes = [...asked, ...narrowed].map((value) => h('input', { type: 'checkbox', value, checked: held.has(value) }));
  const element = h('fieldset', { class: 'scope' },
    h('legend', { class: 'muted small' }, scope === 'hosts' ? 'At these hosts' : 'These operations'),
    ...boxes.map((box) => h('label', {}, box, h('code', {}, box.value)))); // prettier-ignore
  return { scope, element, read: () => boxes.filter((box) => box.checked).map((box) => box.value) };
}

/** What an install has been granted, by capability. @param {Grant[]} grants */
export function byCapability(grants) {
  return new Map(grants.map((grant) => [grant.capability, grant]));
}
