import './button.js';
import { define, LOOK, make, sheet } from './look.js';

const STYLES = sheet(`
  :host { display: block; }
  .scroll { overflow-x: auto; border: 1px solid var(--_border); border-radius: var(--_radius); background: var(--_surface); }
  table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
  th, td { padding: 0.6rem 0.9rem; text-align: start; vertical-align: baseline; }
  .end { text-align: end; }
  thead th { font-size: 0.85rem; font-weight: 550; color: var(--_muted); white-space: nowrap; }
  tbody tr { border-top: 1px solid var(--_border); }
  tbody tr[tabindex] { cursor: pointer; }
  tbody tr[tabindex]:hover { background: color-mix(in srgb, var(--_accent) 7%, transparent); }
  tbody tr:focus-visible { outline-offset: -2px; }
  tbody th { font-weight: inherit; }
  td a, tbody th a { color: var(--_accent); }
  thead button { margin: -0.25rem -0.4rem; padding: 0.25rem 0.4rem; font: inherit; color: inherit; border: 0;
    border-radius: var(--_inner-radius); background: none; cursor: pointer; }
  thead button:hover { color: var(--_text); background: color-mix(in srgb, var(--_text) 7%, transparent); }
  thead button::after { content: '↕'; margin-inline-start: 0.35em; opacity: 0.4; }
  [aria-sort='ascending'] button, [aria-sort='descending'] button { color: var(--_text); }
  [aria-sort='ascending'] button::after { content: '↑'; opacity: 1; }
  [aria-sort='descending'] button::after { content: '↓'; opacity: 1; }
  .empty { padding: 1.5rem 0.9rem; text-align: center; color: var(--_muted); }
  .bar { height: 0.7rem; border-radius: 0.3rem; background: currentColor; opacity: 0.09; }
  .more { margin-top: 0.7rem; text-align: center; }
`);
const WAITING_ROWS = 3;

/**
 * @typedef {object} TableColumn
 * @property {string} key the row's property
 * @property {string} label
 * @property {'start' | 'end'} [align] `end` for numbers
 * @property {boolean} [sortable]
 * @property {(value: any, row: any) => Node | string | number | null} [format] what is shown; the value itself by default
 */

/**
 * `<oriel-table>`: rows of records; sorts, scrolls sideways on small screens, says that it is empty or loading.
 *
 * @attr {string} label what the table is about; read out, not shown
 * @attr {string} empty what is said where there are no rows
 * @attr {boolean} busy the rows are being loaded
 * @attr {boolean} selectable a row can be chosen, with the mouse and with Enter
 * @attr {boolean} more there are more rows: a button below asks for them
 * @prop {TableColumn[]} columns the first names its row
 * @prop {object[]} rows
 * @fires oriel-row (detail: the row) a row was chosen
 * @fires oriel-sort (detail: {key, descending}) cancel it to sort the rows yourself
 * @fires oriel-more more rows are wanted
 */
export class OrielTableElement extends HTMLElement {
  static observedAttributes = ['label', 'empty', 'busy', 'selectable', 'more'];

  constructor() {
    super();
    /** @type {TableColumn[]} */
    this._columns = [];
    /** @type {any[]} */
    this._rows = [];
    /** @type {{key: string, descending: boolean} | null} */
    this._sort = null;
    this._pending = false;
    this._table = make('table');
    this._scroll = make('div', { class: 'scroll', role: 'region', tabindex: 0 }, this._table);
    const more = document.createElement('oriel-button');
    more.textContent = 'Show more';
    more.addEventListener('click', () => this.dispatchEvent(new CustomEvent('oriel-more')));
    this._more = make('div', { class: 'more', hidden: true }, more);
    const root = this.attachShadow({ mode: 'open' });
    root.adoptedStyleSheets = [LOOK, STYLES];
    root.append(this._scroll, this._more);
    this._upgrade('columns');
    this._upgrade('rows');
  }

  connectedCallback() {
    this._show();
  }

  attributeChangedCallback() {
    this._show();
  }

  get columns() {
    return this._columns;
  }

  set columns(columns) {
    this._columns = [...(columns ?? [])];
    this._show();
  }

  get rows() {
    return this._rows;
  }

  set rows(rows) {
    this._rows = [...(rows ?? [])];
    this._show();
  }

  /** Properties that were set before the element was defined. @param {'columns' | 'rows'} name */
  _upgrade(name) {
    if (!Object.hasOwn(this, name)) return;
    const value = this[name];
    delete (/** @type {any} */ (this)[name]);
    this[name] = value;
  }

  /** Draw once, after all changes of this turn. */
  _show() {
    if (this._pending) return;
    this._pending = true;
    queueMicrotask(() => {
      this._pending = false;
      this._draw();
    });
  }

  _draw() {
    const label = this.getAttribute('label') ?? 'Table';
    const isBusy = this.hasAttribute('busy');
    this._scroll.setAttribute('aria-label', label);
    this._scroll.setAttribute('aria-busy', String(isBusy));
    this._more.hidden = !this.hasAttribute('more') || isBusy;
    this._table.replaceChildren(
      make('caption', { class: 'unseen' }, label),
      make('thead', {}, make('tr', {}, ...this._columns.map((column) => this._head(column)))),
      make('tbody', {}, ...(isBusy && !this._rows.length ? this._waiting() : this._body())),
    );
  }

  /** @param {TableColumn} column */
  _head({ key, label, align, sortable }) {
    const isSorted = this._sort?.key === key;
    const order = isSorted ? (this._sort?.descending ? 'descending' : 'ascending') : sortable ? 'none' : null;
    const head = make('th', { scope: 'col', class: align === 'end' && 'end', 'aria-sort': order });
    if (!sortable) head.append(label);
    else {
      const button = make('button', { type: 'button', 'data-key': key }, label);
      button.addEventListener('click', () => this._sortBy(key));
      head.append(button);
    }
    return head;
  }

  _body() {
    if (!this._rows.length) {
      const text = this.getAttribute('empty') ?? 'There is nothing yet.';
      return [make('tr', {}, make('td', { class: 'empty', colspan: this._columns.length || 1 }, text))];
    }
    return this._rows.map((row) => this._row(row));
  }

  /** @param {any} row */
  _row(row) {
    const cells = this._columns.map(({ key, align, format }, index) => {
      const shown = format ? format(row[key], row) : row[key];
      const attributes = { class: align === 'end' && 'end', scope: index === 0 && 'row' };
      return make(index === 0 ? 'th' : 'td', attributes, shown);
    });
    const isSelectable = this.hasAttribute('selectable');
    const made = make('tr', { tabindex: isSelectable && 0 }, ...cells);
    if (isSelectable) {
      const choose = () => this.dispatchEvent(new CustomEvent('oriel-row', { detail: row }));
      made.addEventListener('click', choose);
      made.addEventListener('keydown', (event) => event.key === 'Enter' && event.target === made && choose());
    }
    return made;
  }

  _waiting() {
    const bars = () => this._columns.map(() => make('td', {}, make('div', { class: 'bar' })));
    return Array.from({ length: WAITING_ROWS }, () => make('tr', { 'aria-hidden': 'true' }, ...bars()));
  }

  /** @param {string} key */
  _sortBy(key) {
    const sort = { key, descending: this._sort?.key === key && !this._sort.descending };
    const isOurs = this.dispatchEvent(new CustomEvent('oriel-sort', { detail: sort, cancelable: true }));
    this._sort = sort;
    if (isOurs) this._rows = [...this._rows].sort((a, b) => compared(a[key], b[key]) * (sort.descending ? -1 : 1));
    this._draw();
    /** @type {HTMLElement | null} */ (this._table.querySelector(`button[data-key="${CSS.escape(key)}"]`))?.focus();
  }
}

/** Numbers by size, the rest as text in the page's language; what is missing comes first. @param {any} a @param {any} b */
function compared(a, b) {
  if (a === b) return 0;
  if (a === null || a === undefined) return -1;
  if (b === null || b === undefined) return 1;
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a).localeCompare(String(b), document.documentElement.lang || undefined, { numeric: true });
}

define('oriel-table', OrielTableElement);
