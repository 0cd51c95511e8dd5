/** The product's own pages. */
import { h } from './dom.js';

/** @param {{people: any[], onChoose: (user: string) => void}} options */
export function signInPage({ people, onChoose }) {
  const choices = people.map((person) =>
    h('li', {}, h('button', { type: 'button', class: 'person', onclick: () => onChoose(person.id) }, ...face(person))),
  );
  return h('main', { id: 'main', class: 'sign-in', tabindex: '-1' },
    h('p', { class: 'brand' }, 'Halden'),
    h('h1', {}, 'Who is working?'),
    h('p', { class: 'muted' }, 'A demonstration: pick a person. Each sees the extensions of their own company.'),
    h('ul', { class: 'people' }, ...choices),
  ); // prettier-ignore
}

/** @param {any} person */
export function face(person) {
  const initials = person.name.split(' ').map((/** @type {string} */ part) => part[0]).join('');
  const role = person.roles.includes('admin') ? 'Administrator' : 'Member';
  return [
    h('span', { class: 'avatar', 'data-accent': person.accent, 'aria-hidden': 'true' }, initials),
    h('span', {}, h('strong', {}, person.name), h('small', {}, `${person.tenant_name} · ${role}`)),
  ];
}

/** @param {{user: any, currency: string, orders: any[]}} options */
export function overviewPage({ user, currency, orders }) {
  const open = orders.filter(({ state }) => state === 'open' || state === 'packed');
  const sum = (/** @type {any[]} */ list) => money(list.reduce((total, order) => total + order.total, 0), currency);
  return page(`Good day, ${user.name.split(' ')[0]}`, `${user.tenant_name}, this month`,
    h('dl', { class: 'figures' },
      figure('Orders', String(orders.length)),
      figure('To be sent', String(open.length)),
      figure('Open amount', sum(orders.filter(({ state }) => state !== 'paid'))),
      figure('Total', sum(orders)),
    ),
    h('h2', {}, 'Latest orders'),
    orderTable(orders.slice(0, 4), currency),
  ); // prettier-ignore
}

/** @param {{currency: string, orders: any[]}} options */
export function ordersPage({ currency, orders }) {
  return page('Orders', `${orders.length} this month`, orderTable(orders, currency));
}

/** @param {{title: string, extensionId: string, path: string, onNavigate: (event: CustomEvent) => void}} options */
export function extensionPage({ title, extensionId, path, onNavigate }) {
  return page(title, extensionId,
    h('oriel-extension', { extension: extensionId, path, 'onoriel-navigate': onNavigate }),
  ); // prettier-ignore
}

/** @param {string} title @param {string} message */
export function messagePage(title, message) {
  return page(title, message);
}

/** @param {string} title @param {string} lead @param {...Node} content */
function page(title, lead, ...content) {
  const head = h('header', { class: 'page-head' }, h('h1', {}, title), h('p', { class: 'muted' }, lead));
  return h('main', { id: 'main', tabindex: '-1' }, head, ...content);
}

/** @param {string} name @param {string} value */
function figure(name, value) {
  return h('div', { class: 'figure' }, h('dt', {}, name), h('dd', {}, value));
}

/** @param {any[]} orders @param {string} currency */
function orderTable(orders, currency) {
  const heads = ['Order', 'Customer', 'Date', 'State'].map((name) => h('th', { scope: 'col' }, name));
  const rows = orders.map((order) =>
    h('tr', {},
      h('th', { scope: 'row' }, order.number),
      h('td', {}, order.customer),
      h('td', {}, new Date(order.date).toLocaleDateString('en-GB', { day: 'numeric', month: 'short' })),
      h('td', {}, h('span', { class: 'state', 'data-state': order.state }, order.state)),
      h('td', { class: 'number' }, money(order.total, currency)),
    ),
  ); // prettier-ignore
  return h('div', { class: 'table', tabindex: '0', role: 'region', 'aria-label': 'Orders' },
    h('table', {},
      h('thead', {}, h('tr', {}, ...heads, h('th', { scope: 'col', class: 'number' }, 'Total'))),
      h('tbody', {}, ...rows),
    ),
  ); // prettier-ignore
}

/** @param {number} amount @param {string} currency */
function money(amount, currency) {
  return new Intl.NumberFormat('en-GB', { style: 'currency', currency }).format(amount);
}
