/**
 * Tell the elements of this page where things are. Only the first call counts.
 *
 * @param {HostConfiguration} configuration
 */
export function configureOriel(configuration: HostConfiguration): void;
/**
 * Change the theme of all extensions on the page.
 *
 * @param {import('./frame.js').Theme} theme
 */
export function setTheme(theme: import("./frame.js").Theme): Promise<void>;
/**
 * Change the language of all extensions on the page.
 *
 * @param {string} locale
 */
export function setLocale(locale: string): Promise<void>;
/**
 * An extension in a page: a quiet placeholder while it loads, the app, or a card that says what failed.
 *
 * @attr {string} extension its id
 * @attr {string} path the place inside the app; follows the app, and leads it
 * @attr {boolean} alga its UI speaks the window messages of `alga` 1
 * @prop {ExtensionFrame | null} frame the handle, while there is one
 * @fires oriel-ready the app is shown
 * @fires oriel-navigate (detail: {path, replace}) the app went to a place; put it into the product's own URL
 * @fires oriel-hotkey (detail: {key}) one of the page's `hotkeys` was pressed in the frame
 * @fires oriel-error (detail: BridgeError) it cannot be shown; the card says so already
 */
export class OrielExtensionElement extends HTMLElement {
    static observedAttributes: string[];
    /** @type {import('./frame.js').ExtensionFrame | null} */
    frame: import("./frame.js").ExtensionFrame | null;
    connectedCallback(): void;
    /**
     * Put the keyboard into the extension, at the beginning of the app.
     *
     * @override
     */
    override focus(): void;
    disconnectedCallback(): void;
    /**
     * @param {string} name
     * @param {string | null} before
     * @param {string | null} now
     */
    attributeChangedCallback(name: string, before: string | null, now: string | null): void;
}
/**
 * what a resolver knows of an installed extension
 */
export type Extension = {
    contentHash: string;
    entry: string;
    title?: string | undefined;
    version?: string | undefined;
};
export type HostConfiguration = {
    uiOrigin: string;
    getToken: import("./proxy.js").GetToken;
    /**
     * the page's own by default
     */
    apiOrigin?: string | undefined;
    /**
     * by default from `GET /api/v1/menu`
     */
    resolve?: ((extensionId: string) => Promise<Extension | null>) | undefined;
    theme?: import("./frame.js").Theme | undefined;
    locale?: string | undefined;
    /**
     * a plain toast by default
     */
    onToast?: import("./frame.js").FrameOptions["onToast"];
    /**
     * a modal dialog by default
     */
    onConfirm?: import("./frame.js").FrameOptions["onConfirm"];
    /**
     * keys that are the product's also while a frame has the focus, `['Mod+k']`
     */
    hotkeys?: string[] | undefined;
    limits?: Partial<import("./proxy.js").ProxyLimits> | undefined;
};
import { Card } from './card.js';
import { BridgeError } from './errors.js';
declare global {
    interface HTMLElementTagNameMap {
        'oriel-extension': OrielExtensionElement;
    }
}
