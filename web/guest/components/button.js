import { define, LOOK, make, sheet } from './look.js';

const STYLES = sheet(`
  :host { display: inline-block; }
  button { display: inline-flex; align-items: center; justify-content: center; gap: 0.5em; width: 100%; min-height: 2.25rem;
    padding: 0.4rem 0.9rem; font: inherit; font-weight: 500; line-height: 1.3; color: inherit; cursor: pointer;
    border: 1px solid var(--_border); border-radius: var(--_inner-radius); background: var(--_surface); }
  button:hover:not(:disabled) { background: color-mix(in srgb, var(--_text) 6%, var(--_surface)); }
  button:active:not(:disabled) { background: color-mix(in srgb, var(--_text) 11%, var(--_surface)); }
  button:disabled { cursor: default; opacity: 0.55; }
  :host([variant='primary']) button { border-color: transparent; background: var(--_accent); color: var(--_on-accent); }
  :host([variant='primary']) button:hover:not(:disabled) { background: color-mix(in srgb, var(--_accent) 88%, var(--_text)); }
  :host([variant='danger']) button { color: var(--_danger); }
  :host([variant='danger']) button:hover:not(:disabled) { border-color: var(--_danger);
    background: color-mix(in srgb, var(--_danger) 9%, var(--_surface)); }
  :host([variant='quiet']) button { border-color: transparent; background: none; color: var(--_muted); }
  :host([variant='quiet']) button:hover:not(:disabled) { color: var(--_text); background: color-mix(in srgb, var(--_text) 8%, transparent); }
  :host([size='small']) button { min-height: 1.75rem; padding: 0.15rem 0.55rem; font-size: 0.9em; }
  .wait { width: 0.9em; height: 0.9em; border: 2px solid currentColor; border-inline-end-color: transparent; border-radius: 50%; }
  @media (prefers-reduced-motion: no-preference) { .wait { animation: turn 800ms linear infinite; } }
  @keyframes turn { to { rotate: 1turn; } }
`);

/**
 * `<oriel-button>`: a button; in a form it submits or resets that form.
 *
 * @attr {'primary' | 'danger' | 'quiet'} variant how much it stands out; an ordinary one by default
 * @attr {'button' | 'submit' | 'reset'} type `button` by default
 * @attr {'small'} size
 * @attr {boolean} disabled
 * @attr {boolean} busy it works on it: a spinner, and it cannot be pressed again
 * @attr {string} label its accessible name, where its content is only a sign
 * @slot its text
 */
export class OrielButtonElement extends HTMLElement {
  static formAssociated = true;
  static observedAttributes = ['disabled', 'busy', 'label'];

  constructor() {
    super();
    this._internals = this.attachInternals();
    this._button = make('button', { type: 'button', part: 'button' }, make('slot'));
    this._wait = make('span', { class: 'wait', 'aria-hidden': 'true' });
    const root = this.attachShadow({ mode: 'open', delegatesFocus: true });
    root.adoptedStyleSheets = [LOOK, STYLES];
    root.append(this._button);
    this.addEventListener('click', (event) => this._onClick(event));
  }

  get disabled() {
    return this.hasAttribute('disabled');
  }

  set disabled(value) {
    this.toggleAttribute('disabled', Boolean(value));
  }

  get busy() {
    return this.hasAttribute('busy');
  }

  set busy(value) {
    this.toggleAttribute('busy', Boolean(value));
  }

  attributeChangedCallback() {
    this._show();
  }

  /** @param {boolean} disabled because its fieldset is */
  formDisabledCallback(disabled) {
    this._fieldset = disabled;
    this._show();
  }

  _show() {
    this._button.disabled = this.disabled || this.busy || Boolean(this._fieldset);
    this._button.setAttribute('aria-busy', String(this.busy));
    const label = this.getAttribute('label');
    if (label) this._button.setAttribute('aria-label', label);
    else this._button.removeAttribute('aria-label');
    if (this.busy) this._button.prepend(this._wait);
    else this._wait.remove();
  }

  /** @param {Event} event */
  _onClick(event) {
    if (this._button.disabled) event.stopImmediatePropagation();
    const act = () => {
      if (event.defaultPrevented) return;
      if (this.getAttribute('type') === 'submit') this._internals.form?.requestSubmit();
      else if (this.getAttribute('type') === 'reset') this._internals.form?.reset();
    };
    queueMicrotask(act);
  }
}

define('oriel-button', OrielButtonElement);
