import { define, draw, LOOK, make, sheet } from './look.js';
import { everyNth, isNumber, runs, ticks } from './scale.js';

const STYLES = sheet(`
  :host { display: block; position: relative; }
  svg { display: block; width: 100%; overflow: visible; }
  text { fill: var(--_muted); font-size: 12px; font-variant-numeric: tabular-nums; }
  .grid { stroke: var(--_border); }
  .zero { stroke: var(--_edge); }
  .tone-0 { --_tone: var(--_accent); }
  .tone-1 { --_tone: light-dark(#b3541e, #f2a36b); }
  .tone-2 { --_tone: light-dark(#1b7f6b, #63d3bb); }
  .tone-3 { --_tone: light-dark(#7a4fc9, #c0a4ff); }
  .tone-danger { --_tone: var(--_danger); }
  .tone-success { --_tone: var(--_success); }
  .tone-warning { --_tone: var(--_warning); }
  .tone-muted { --_tone: var(--_muted); }
  .line { fill: none; stroke: var(--_tone); stroke-width: 2.25; stroke-linejoin: round; stroke-linecap: round; }
  .area { fill: var(--_tone); opacity: 0.1; }
  .dot { fill: var(--_tone); stroke: var(--_surface); stroke-width: 1.5; }
  .bar { fill: var(--_tone); }
  .at { stroke: var(--_edge); stroke-dasharray: 3 3; }
  .legend { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; margin: 0 0 0.5rem; padding: 0; list-style: none; font-size: 0.85rem; color: var(--_muted); }
  .legend i { display: inline-block; width: 0.75rem; height: 0.75rem; margin-inline-end: 0.4rem; border-radius: 0.2rem; vertical-align: -0.05rem; background: var(--_tone); }
  .tip { position: absolute; z-index: 1; max-width: 14rem; padding: 0.35rem 0.6rem; font-size: 0.82rem; line-height: 1.4; pointer-events: none; white-space: nowrap;
    color: var(--_text); border: 1px solid var(--_border); border-radius: var(--_inner-radius); background: var(--_surface); box-shadow: 0 3px 14px rgb(0 0 0 / 0.16); }
  .tip b { display: block; font-weight: 550; }
  .tip i { display: inline-block; width: 0.6rem; height: 0.6rem; margin-inline-end: 0.35rem; border-radius: 0.15rem; background: var(--_tone); }
  details { font-size: 0.82rem; color: var(--_muted); }
  summary { width: max-content; padding: 0.1rem 0.3rem; margin-inline-start: -0.3rem; border-radius: 0.3rem; cursor: pointer; }
  .scroll { overflow-x: auto; max-height: 16rem; }
  table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
  th, td { padding: 0.15rem 0.9rem 0.15rem 0; text-align: start; font-weight: 400; }
  td { text-align: end; }
`);
const LEFT = 44;
const TOP = 10;
const BOTTOM = 24;
const RIGHT = 10;
const LETTER_WIDTH = 7;
const LABEL_GAP = 16;
const DEFAULT_HEIGHT = 180;
const TONES = 4;

/**
 * @typedef {object} ChartSeries
 * @property {string} name
 * @property {(number | null)[]} values one for each label; null is a gap
 * @property {'danger' | 'success' | 'warning' | 'muted'} [tone] where the colour means something
 * @property {('danger' | 'success' | 'warning' | 'muted' | null)[]} [tones] of the single bars
 *
 * @typedef {object} ChartData
 * @property {string[]} labels along the bottom
 * @property {ChartSeries[]} series
 */

/**
 * `<oriel-chart>`: lines or bars, at home in any width; the same figures stand in a table below, for who wants or needs it.
 *
 * @attr {string} label what it shows, in a few words
 * @attr {'line' | 'bar'} type `line` by default
 * @attr {number} height pixels of the drawing; 180 by default
 * @attr {string} unit after the values, for example `ms`
 * @attr {boolean} plain without the table; where the figures stand beside it already
 * @prop {ChartData} data
 */
export class OrielChartElement extends HTMLElement {
  static observedAttributes = ['label', 'type', 'height', 'unit', 'plain'];

  constructor() {
    super();
    /** @type {ChartData} */
    this._data = { labels: [], series: [] };
    this._width = 0;
    this._legend = make('ul', { class: 'legend', 'aria-hidden': 'true' });
    this._svg = /** @type {SVGSVGElement} */ (draw('svg', { role: 'img' }));
    this._tip = make('div', { class: 'tip', hidden: true, 'aria-hidden': 'true' });
    this._figures = make('div', { class: 'scroll' });
    this._details = make('details', {}, make('summary', {}, 'Figures'), this._figures);
    const root = this.attachShadow({ mode: 'open' });
    root.adoptedStyleSheets = [LOOK, STYLES];
    root.append(this._legend, this._svg, this._tip, this._details);
    this._observer = new ResizeObserver(([{ contentRect }]) => this._resize(contentRect.width));
    this._svg.addEventListener('pointermove', (event) => this._point(event));
    this._svg.addEventListener('pointerleave', () => this._unpoint());
    if (Object.hasOwn(this, 'data')) {
      const { data } = this;
      delete (/** @type {any} */ (this).data);
      this.data = data;
    }
  }

  connectedCallback() {
    this._observer.observe(this);
  }

  disconnectedCallback() {
    this._observer.disconnect();
  }

  attributeChangedCallback() {
    this._draw();
  }

  get data() {
    return this._data;
  }

  set data(data) {
    this._data = data ?? { labels: [], series: [] };
    this._draw();
  }

  /** @param {number} width */
  _resize(width) {
    if (Math.abs(width - this._width) < 1) return;
    this._width = width;
    this._draw();
  }

  /** Where everything is, for this width and these figures. */
  _frame() {
    const { labels, series } = this._data;
    const values = series.flatMap((one) => one.values).filter(isNumber);
    const height = Number(this.getAttribute('height')) || DEFAULT_HEIGHT;
    const steps = ticks(Math.min(...values, 0), Math.max(...values, 0));
    const [low, high] = [steps[0], steps[steps.length - 1]];
    const inner = Math.max(this._width - LEFT - RIGHT, 1);
    const band = inner / Math.max(labels.length, 1);
    const isBar = this.getAttribute('type') === 'bar';
    const gap = labels.length > 1 ? inner / (labels.length - 1) : 0;
    return {
      height, steps, band, isBar, inner,
      x: (/** @type {number} */ index) => LEFT + (isBar ? band * (index + 0.5) : labels.length > 1 ? gap * index : inner / 2),
      y: (/** @type {number} */ value) => TOP + ((high - value) / (high - low)) * (height - TOP - BOTTOM),
    }; // prettier-ignore
  }

  _draw() {
    if (!this._width) return;
    const at = this._frame();
    const { labels, series } = this._data;
    this._svg.setAttribute('viewBox', `0 0 ${this._width} ${at.height}`);
    this._svg.setAttribute('height', String(at.height));
    this._svg.setAttribute('aria-label', this._summary());
    const parts = series.flatMap((one, number) => (at.isBar ? this._bars(one, number, at) : this._lines(one, number, at)));
    this._svg.replaceChildren(...this._axes(at), ...parts);
    this._unpoint();
    this._legend.hidden = series.length < 2;
    const named = series.map((one, number) => make('li', { class: toneOf(one, number) }, make('i'), one.name));
    this._legend.replaceChildren(...named);
    this._details.hidden = this.hasAttribute('plain') || !labels.length;
    this._figures.replaceChildren(this._table());
  }

  /** @param {ReturnType<OrielChartElement['_frame']>} at */
  _axes({ height, steps, x, y, inner }) {
    const lines = steps.flatMap((step) => [
      draw('line', { class: step === 0 ? 'zero' : 'grid', x1: LEFT, x2: this._width - RIGHT, y1: y(step), y2: y(step) }),
      draw('text', { x: LEFT - 8, y: y(step) + 4, 'text-anchor': 'end' }, short(step)),
    ]);
    const { labels } = this._data;
    const wanted = Math.max(...labels.map(({ length }) => length), 1) * LETTER_WIDTH + LABEL_GAP;
    const nth = everyNth(labels.length, inner, wanted);
    const isCramped = (/** @type {number} */ index) => x(index) > this._width - wanted / 2;
    const isApart = x(nth) - x(0) >= 1.5 * wanted;
    const shown = labels
      .map((label, index) => ({ label, index }))
      .filter(({ index }) => index % nth === 0 && (index === 0 || isApart || !isCramped(index)));
    const names = shown.map(({ label, index }) => {
      const anchor = isCramped(index) ? 'end' : 'middle';
      return draw('text', { x: x(index), y: height - 6, 'text-anchor': anchor }, label);
    });
    return [...lines, ...names];
  }

  /** @param {ChartSeries} one @param {number} number @param {ReturnType<OrielChartElement['_frame']>} at */
  _lines(one, number, { x, y }) {
    const tone = toneOf(one, number);
    return runs(one.values).flatMap((run) => {
      const place = (/** @type {number} */ index) => `${x(index)},${y(Number(one.values[index]))}`;
      const line = run.map(place).join(' ');
      const ground = `${x(run[0])},${y(0)} ${line} ${x(run[run.length - 1])},${y(0)}`;
      const isSparse = one.values.length <= 40 || run.length === 1;
      const dots = isSparse ? run.map((index) => draw('circle', { class: `dot ${tone}`, cx: x(index), cy: y(Number(one.values[index])), r: 3.5 })) : [];
      const area = this._data.series.length === 1 && draw('polygon', { class: `area ${tone}`, points: ground });
      return [...(area ? [area] : []), draw('polyline', { class: `line ${tone}`, points: line }), ...dots];
    });
  }

  /** @param {ChartSeries} one @param {number} number @param {ReturnType<OrielChartElement['_frame']>} at */
  _bars(one, number, { x, y, band }) {
    const count = this._data.series.length;
    const width = Math.max((Math.min(band * 0.72, 64 * count)) / count, 1);
    return one.values.flatMap((value, index) => {
      if (!isNumber(value)) return [];
      const [top, foot] = [y(Math.max(value, 0)), y(Math.min(value, 0))];
      const left = x(index) + (number - count / 2) * width;
      const tone = one.tones?.[index] ? `tone-${one.tones[index]}` : toneOf(one, number);
      const height = value === 0 ? 0 : Math.max(foot - top, 1.5);
      return [draw('rect', { class: `bar ${tone}`, x: left + 0.5, y: foot - height, width: Math.max(width - 1, 1), height, rx: Math.min(3, width / 4) })];
    });
  }

  _table() {
    const { labels, series } = this._data;
    const heads = series.map(({ name }) => make('th', { scope: 'col' }, name));
    const rows = labels.map((label, index) =>
      make('tr', {}, make('th', { scope: 'row' }, label), ...series.map(({ values }) => make('td', {}, this._said(values[index])))),
    );
    return make('table', {}, make('thead', {}, make('tr', {}, make('td'), ...heads)), make('tbody', {}, ...rows));
  }

  _summary() {
    const label = this.getAttribute('label') ?? 'Chart';
    const said = this._data.series.map(({ name, values }) => {
      const found = values.filter(isNumber);
      if (!found.length) return `${name}: no figures`;
      return `${name}: ${this._said(Math.min(...found))} to ${this._said(Math.max(...found))}, last ${this._said(found[found.length - 1])}`;
    });
    return [label, ...said].join('. ');
  }

  /** @param {number | null | undefined} value */
  _said(value) {
    if (!isNumber(value)) return '–';
    const unit = this.getAttribute('unit');
    const number = new Intl.NumberFormat(document.documentElement.lang || undefined, { maximumFractionDigits: 2 }).format(value);
    return unit ? `${number} ${unit}` : number;
  }

  /** @param {PointerEvent} event */
  _point({ clientX }) {
    const { labels, series } = this._data;
    if (!labels.length) return;
    const at = this._frame();
    const within = clientX - this._svg.getBoundingClientRect().left;
    const places = labels.map((_, index) => Math.abs(at.x(index) - within));
    const index = places.indexOf(Math.min(...places));
    const rows = series.map((one, number) =>
      make('div', { class: toneOf(one, number) }, series.length > 1 && make('i'), series.length > 1 && `${one.name} `, this._said(one.values[index])),
    );
    this._tip.replaceChildren(make('b', {}, labels[index]), ...rows);
    this._tip.hidden = false;
    const room = this._width - this._tip.offsetWidth;
    this._tip.style.left = `${Math.min(Math.max(at.x(index) + 12, 0), room)}px`;
    this._tip.style.top = `${this._legend.offsetHeight}px`;
    this._svg.querySelector('.at')?.remove();
    this._svg.append(draw('line', { class: 'at', x1: at.x(index), x2: at.x(index), y1: TOP, y2: at.height - BOTTOM }));
  }

  _unpoint() {
    this._tip.hidden = true;
    this._svg.querySelector('.at')?.remove();
  }
}

/** @param {ChartSeries} series @param {number} number */
function toneOf({ tone }, number) {
  return `tone-${tone ?? number % TONES}`;
}

/** @param {number} value */
function short(value) {
  return new Intl.NumberFormat(document.documentElement.lang || undefined, { notation: 'compact', maximumFractionDigits: 2 }).format(value);
}

define('oriel-chart', OrielChartElement);
