import { define, LOOK, make, sheet } from './look.js';

const STYLES = sheet(`
  :host { display: block; }
  .toast { --_tone: var(--_accent); display: flex; gap: 0.75rem; align-items: flex-start; padding: 0.65rem 0.9rem;
    border: 1px solid color-mix(in srgb, var(--_tone) 40%, var(--_border)); border-inline-start: 4px solid var(--_tone);
    border-radius: var(--_inner-radius); background: color-mix(in srgb, var(--_tone) 8%, var(--_surface)); overflow-wrap: anywhere; }
  .toast[data-kind='success'] { --_tone: var(--_success); }
  .toast[data-kind='warning'] { --_tone: var(--_warning); }
  .toast[data-kind='error'] { --_tone: var(--_danger); }
  p { flex: 1; margin: 0; }
  button { margin: -0.2rem -0.35rem -0.2rem 0; padding: 0.1rem 0.5rem; font: inherit; line-height: 1.4; color: var(--_muted); border: 0;
    border-radius: var(--_inner-radius); background: none; cursor: pointer; }
  button:hover { color: var(--_text); background: color-mix(in srgb, var(--_text) 8%, transparent); }
`);
const KINDS = ['info', 'success', 'warning', 'error'];

/** @typedef {'info' | 'success' | 'warning' | 'error'} ToastKind */

/**
 * `<oriel-toast>`: a note within the page, said aloud when it appears. For a note over the product's page use
 * `oriel.toast()`.
 *
 * @attr {'info' | 'success' | 'warning' | 'error'} kind
 * @attr {boolean} open whether it is shown
 * @attr {number} timeout milliseconds until it closes; an error stays; it stays by default
 * @fires oriel-close it was closed
 */
export class OrielToastElement extends HTMLElement {
  static observedAttributes = ['kind', 'open'];

  constructor() {
    super();
    this._text = make('p');
    const close = make('button', { type: 'button', 'aria-label': 'Close' }, '×');
    close.addEventListener('click', () => this.close());
    this._box = make('div', { class: 'toast', hidden: true }, this._text, close);
    this._live = make('div', { role: 'status' }, this._box);
    const root = this.attachShadow({ mode: 'open' });
    root.adoptedStyleSheets = [LOOK, STYLES];
    root.append(this._live);
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this._timer = undefined;
  }

  connectedCallback() {
    this._text.textContent ||= this.textContent;
    this._show();
  }

  disconnectedCallback() {
    clearTimeout(this._timer);
  }

  attributeChangedCallback() {
    if (this.isConnected) this._show();
  }

  /**
   * Say something.
   *
   * @param {string} message
   * @param {ToastKind} [kind]
   */
  show(message, kind = 'info') {
    this._text.textContent = message;
    this.setAttribute('kind', kind);
    this.setAttribute('open', '');
    this._show();
  }

  close() {
    if (!this.hasAttribute('open')) return;
    this.removeAttribute('open');
    this.dispatchEvent(new CustomEvent('oriel-close'));
  }

  _show() {
    const kind = this.getAttribute('kind') ?? 'info';
    this._box.dataset.kind = KINDS.includes(kind) ? kind : 'info';
    this._live.setAttribute('role', kind === 'error' ? 'alert' : 'status');
    this._box.hidden = !this.hasAttribute('open');
    clearTimeout(this._timer);
    const timeout = Number(this.getAttribute('timeout'));
    if (timeout > 0 && kind !== 'error' && !this._box.hidden) this._timer = setTimeout(() => this.close(), timeout);
  }
}

define('oriel-toast', OrielToastElement);
