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
    static formAssociated: boolean;
    static observedAttributes: string[];
    set disabled(value: boolean);
    get disabled(): boolean;
    set busy(value: boolean);
    get busy(): boolean;
    attributeChangedCallback(): void;
    /** @param {boolean} disabled because its fieldset is */
    formDisabledCallback(disabled: boolean): void;
}
declare global {
    interface HTMLElementTagNameMap {
        'oriel-button': OrielButtonElement;
    }
}
