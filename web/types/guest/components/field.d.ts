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
    static formAssociated: boolean;
    static observedAttributes: string[];
    disconnectedCallback(): void;
    connectedCallback(): void;
    set value(value: string);
    /** The text in it; of a checkbox, `on` or nothing. */
    get value(): string;
    set checked(value: boolean);
    /** Of a checkbox. */
    get checked(): boolean;
    set name(value: string);
    get name(): string;
    set problem(value: string);
    /** Your own word on what is wrong; empty where nothing is. */
    get problem(): string;
    get validity(): ValidityState;
    checkValidity(): boolean;
    reportValidity(): boolean;
    /**
     * @param {string} name
     * @param {string | null} before
     * @param {string | null} now
     */
    attributeChangedCallback(name: string, before: string | null, now: string | null): void;
    formResetCallback(): void;
    /** @param {boolean} disabled because its fieldset is */
    formDisabledCallback(disabled: boolean): void;
    /** @param {string | null} state */
    formStateRestoreCallback(state: string | null): void;
}
export type Control = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;
declare global {
    interface HTMLElementTagNameMap {
        'oriel-field': OrielFieldElement;
    }
}
