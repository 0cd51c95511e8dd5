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
    static observedAttributes: string[];
    connectedCallback(): void;
    disconnectedCallback(): void;
    attributeChangedCallback(): void;
    /**
     * Say something.
     *
     * @param {string} message
     * @param {ToastKind} [kind]
     */
    show(message: string, kind?: ToastKind): void;
    close(): void;
}
export type ToastKind = "info" | "success" | "warning" | "error";
declare global {
    interface HTMLElementTagNameMap {
        'oriel-toast': OrielToastElement;
    }
}
