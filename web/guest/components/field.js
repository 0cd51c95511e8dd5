import { define, LOOK, make, sheet } from './look.js';

const STYLES = sheet(`
  :host { display: block; }
  .field { display: grid; gap: 0.3rem; }
  label { font-size: 0.9rem; font-weight: 500; }
  label .optional { font-weight: 400; color: var(--_muted); }
  input, select, textarea { width: 100%; height: 2.4rem; padding: 0 0.7rem; font: inherit; color: inherit;
    border: 1px solid var(--_edge); border-radius: var(--_inner-radius); background: var(--_surface); }
  textarea { height: auto; min-height: 5.5rem; padding-block: 0.45rem; resize: vertical; }
  input:hover:not(:disabled), select:hover:not(:disabled), textarea:hover:not(:disabled) { border-color: var(--_text); }
  input:focus-visible, select:focus-visible, textarea:focus-visible { outline-offset: -1px; border-color: var(--_accent); }
  :disabled { opacity: 0.55; }
  [aria-invalid='true'] { border-color: var(--_danger); }
  .hint, .problem { margin: 0; font-size: 0.85rem; color: var(--_muted); }
  .problem { color: var(--_danger); }
  .field.check { grid-template-columns: auto 1fr; align-items: center; column-gap: 0.6rem; }
  .field.check input { width: 1.1rem; height: 1.1rem; padding: 0; margin: 0; accent-color: var(--_accent); }
  .field.check .hint, .field.check .problem { grid-column: 2; }
`);
const PASSED = [
  'autocomplete', 'inputmode', 'list', 'max', 'maxlength', 'min', 'minlength', 'pattern', 'placeholder', 'rows', 'step',
]; // prettier-ignore
const OWN = ['label', 'hint', 'problem', 'type', 'required', 'disabled', 'readonly', 'value', 'checked'];

/** @typedef {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} Control */

/**
 * `<oriel-field>`: a labelled control with a hint and a problem, which takes part in its form.
 *
 * @attr {string} label what it asks for; always shown
 * @attr {string} name under which the form sends it
 * @attr {string} type as of an `<input>`; also `textarea`, `select` (with `<option>` children) and `checkbox`
 * @attr {string} value at the beginning
 * @attr {string} hint one sentence below it
 * @attr {string} problem what is wrong with it, by your word; replaces the hint
 * @attr {boolean} required what is not required is marked as optional
 * @attr {boolean} disabled
 * @attr {boolean} readonly
 * @attr {string} … `autocomplete`, `inputmode`, `max`, `maxlength`, `min`, `minlength`, `pattern`, `placeholder`, `rows`, `step`
 * @fires input as of an `<input>`
 * @fires change as of an `<input>`
 */
export class OrielFieldElement extends HTMLElement {
  static formAssociated = true;
  static observedAttributes = [...OWN, ...PASSED];

  constructor() {
    super();
    this._internals = this.attachInternals();
    const root = this.attachShadow({ mode: 'open', delegatesFocus: true });
    root.adoptedStyleSheets = [LOOK, STYLES];
    this._box = make('div', { class: 'field' });
    root.append(this._box);
    /** @type {Control} */
    this._control = make('input', { id: 'control' });
    this._label = make('label', { for: 'control' });
    this._help = make('p', { id: 'help', class: 'hint', hidden: true });
    this._touched = false;
    /** @type {{value?: string, checked?: boolean} | null} what was set before there was a control of the right type */
    this._early = null;
    this._options = new MutationObserver(() => this._copyOptions());
  }

  disconnectedCallback() {
    this._options.disconnect();
  }

  connectedCallback() {
    if (!this._box.firstChild) this._build();
    this._options.observe(this, { childList: true, subtree: true, characterData: true });
  }

  /** The text in it; of a checkbox, `on` or nothing. */
  get value() {
    return this._isCheck ? (this.checked ? 'on' : '') : this._control.value;
  }

  set value(value) {
    this._early = { value };
    if (this._isCheck) this.checked = Boolean(value);
    else this._control.value = value ?? '';
    this._sync();
  }

  /** Of a checkbox. */
  get checked() {
    return this._control instanceof HTMLInputElement && this._control.checked;
  }

  set checked(value) {
    this._early = { checked: value };
    if (this._control instanceof HTMLInputElement) this._control.checked = Boolean(value);
    this._sync();
  }

  get name() {
    return this.getAttribute('name') ?? '';
  }

  set name(value) {
    this.setAttribute('name', value);
  }

  /** Your own word on what is wrong; empty where nothing is. */
  get problem() {
    return this.getAttribute('problem') ?? '';
  }

  set problem(value) {
    if (value) this.setAttribute('problem', value);
    else this.removeAttribute('problem');
  }

  get validity() {
    return this._internals.validity;
  }

  checkValidity() {
    return this._internals.checkValidity();
  }

  reportValidity() {
    return this._internals.reportValidity();
  }

  /**
   * @param {string} name
   * @param {string | null} before
   * @param {string | null} now
   */
  attributeChangedCallback(name, before, now) {
    if (!this._box.firstChild || before === now) return;
    if (name === 'type') this._build();
    else if (name === 'value') this.value = now ?? '';
    else this._dress();
  }

  formResetCallback() {
    this._touched = false;
    this._begin();
  }

  /** @param {boolean} disabled because its fieldset is */
  formDisabledCallback(disabled) {
    this._control.disabled = disabled || this.hasAttribute('disabled');
  }

  /** @param {string | null} state */
  formStateRestoreCallback(state) {
    this.value = state ?? '';
  }

  get _type() {
    return this.getAttribute('type') ?? 'text';
  }

  get _isCheck() {
    return this._type === 'checkbox';
  }

  _build() {
    const type = this._type;
    if (type === 'textarea' || type === 'select') this._control = make(type, { id: 'control' });
    else this._control = make('input', { id: 'control', type });
    this._box.classList.toggle('check', this._isCheck);
    this._box.replaceChildren(...(this._isCheck ? [this._control, this._label] : [this._label, this._control]), this._help);
    this._control.addEventListener('input', () => this._sync());
    this._control.addEventListener('change', () => {
      this._touched = true;
      this._sync();
      this.dispatchEvent(new Event('change', { bubbles: true }));
    });
    this._control.addEventListener('keydown', (event) => this._onKey(/** @type {KeyboardEvent} */ (event)));
    this.addEventListener('invalid', () => {
      this._touched = true;
      this._sync();
    });
    const early = this._early;
    if (type === 'select') this._copyOptions();
    this._dress();
    this._begin();
    if (early) Object.assign(this, early);
  }

  /** Enter sends the form, as from any input. @param {KeyboardEvent} event */
  _onKey(event) {
    const isEnter = event.key === 'Enter' && !event.isComposing && !event.defaultPrevented;
    if (isEnter && this._control instanceof HTMLInputElement) this._internals.form?.requestSubmit();
  }

  _begin() {
    const first = this.getAttribute('value');
    if (this._isCheck) this.checked = this.hasAttribute('checked');
    else if (first !== null || !(this._control instanceof HTMLSelectElement)) this.value = first ?? '';
    this._sync();
  }

  _copyOptions() {
    if (!(this._control instanceof HTMLSelectElement)) return;
    const before = this._control.value || this._early?.value;
    this._control.replaceChildren(...Array.from(this.children, (child) => child.cloneNode(true)));
    if (before && [...this._control.options].some(({ value }) => value === before)) this._control.value = before;
    this._sync();
  }

  _dress() {
    for (const name of [...PASSED, 'required', 'disabled', 'readonly']) {
      const value = this.getAttribute(name);
      if (value === null) this._control.removeAttribute(name);
      else this._control.setAttribute(name, value);
    }
    const isOptional = !this.hasAttribute('required') && !this._isCheck && !this.hasAttribute('readonly');
    const optional = isOptional && make('span', { class: 'optional' }, ' (optional)');
    this._label.replaceChildren(this.getAttribute('label') ?? '', ...(optional ? [optional] : []));
    this._sync();
  }

  /** Bring the form's view of it, and what is said below it, up to date. */
  _sync() {
    if (!this._box.firstChild) return;
    const data = this._isCheck ? (this.checked ? 'on' : null) : this._control.value;
    this._internals.setFormValue(data);
    const { validity, validationMessage } = this._control;
    if (this.problem) this._internals.setValidity({ customError: true }, this.problem, this._control);
    else this._internals.setValidity(validity, validationMessage, this._control);
    const problem = this.problem || (this._touched ? validationMessage : '');
    const said = problem || (this.getAttribute('hint') ?? '');
    this._help.textContent = said;
    this._help.hidden = !said;
    this._help.className = problem ? 'problem' : 'hint';
    this._control.setAttribute('aria-invalid', String(Boolean(problem)));
    if (said) this._control.setAttribute('aria-describedby', 'help');
    else this._control.removeAttribute('aria-describedby');
  }
}

define('oriel-field', OrielFieldElement);
