/**
 * @typedef {object} Theme
 * @property {'light' | 'dark'} [scheme]
 * @property {Record<string, string>} [tokens] `{'color-accent': '#0a7'}` becomes `--oriel-color-accent`
 *
 * @typedef {object} FrameOptions
 * @property {string} uiOrigin
 * @property {string} extensionId
 * @property {string} contentHash
 * @property {string} [entry]
 * @property {string} [path] the place inside the app to begin at
 * @property {import('./proxy.js').GetToken} getToken the signed-in user's token, for this side only
 * @property {string} [apiOrigin] where `/api/ext/` is; the page's own origin by default
 * @property {string} [title] the frame's accessible name
 * @property {string} [version]
 * @property {string} [locale] BCP 47; the page's language by default
 * @property {Theme} [theme]
 * @property {boolean} [autoHeight] follow the content's height; true by default
 * @property {number} [minHeight] pixels
 * @property {number} [maxHeight] pixels
 * @property {string[]} [hotkeys] keys that are the product's also while the frame has the focus, for example
 *   `['Mod+k', 'Escape']`; `Mod` is Control, or Command on a Mac
 * @property {boolean} [alga] the UI speaks the window messages of `alga` 1 and not Oriel's; false by default
 * @property {Partial<import('./proxy.js').ProxyLimits>} [limits]
 * @property {number} [handshakeTimeoutMs]
 * @property {(toast: {message: string, kind: 'info' | 'success' | 'warning' | 'error'}) => void} [onToast]
 * @property {(question: import('./messages.js').ConfirmMessage) => boolean | Promise<boolean>} [onConfirm] without
 *   one, every question is answered no
 */
/**
 * Show an extension in `iframe`.
 *
 * @param {HTMLIFrameElement} iframe
 * @param {FrameOptions} options
 * @returns {ExtensionFrame}
 * @throws {BridgeError} `invalid_extension`, `invalid_path`
 */
export function bootstrapIframe(iframe: HTMLIFrameElement, options: FrameOptions): ExtensionFrame;
export const SANDBOX: "allow-scripts allow-forms";
/**
 * The handle of one shown extension.
 *
 * @fires ready a document of the extension has its port
 * @fires lost that document is gone; another one may follow
 * @fires error (detail: BridgeError) the extension cannot be shown
 * @fires navigate (detail: {path, replace}) the app went to a place
 * @fires resize (detail: {height}) the frame follows its content
 * @fires hotkey (detail: {key}) a key of `hotkeys` was pressed in the frame
 */
export class ExtensionFrame extends EventTarget {
    /**
     * @param {HTMLIFrameElement} iframe
     * @param {FrameOptions} options
     */
    constructor(iframe: HTMLIFrameElement, options: FrameOptions);
    /** The place inside the app, as the product last set it or the app last told it. */
    get path(): string;
    /** True while a document of the extension holds the port. */
    get isReady(): boolean;
    /**
     * Tell the app to go to a place, for example because the user pressed Back.
     *
     * @param {string} path
     * @throws {BridgeError} `invalid_path`
     */
    navigate(path: string): void;
    /**
     * Give the app another look.
     *
     * @param {Theme} theme
     */
    setTheme(theme: Theme): void;
    /**
     * Give the app another language.
     *
     * @param {string} locale BCP 47
     */
    setLocale(locale: string): void;
    /** Put the keyboard into the frame, at the beginning of the app. */
    focus(): void;
    /** End the conversation and unload the frame. The iframe element itself stays the caller's. */
    destroy(): void;
}
export type Theme = {
    scheme?: "light" | "dark" | undefined;
    /**
     * `{'color-accent': '#0a7'}` becomes `--oriel-color-accent`
     */
    tokens?: Record<string, string> | undefined;
};
export type FrameOptions = {
    uiOrigin: string;
    extensionId: string;
    contentHash: string;
    entry?: string | undefined;
    /**
     * the place inside the app to begin at
     */
    path?: string | undefined;
    /**
     * the signed-in user's token, for this side only
     */
    getToken: import("./proxy.js").GetToken;
    /**
     * where `/api/ext/` is; the page's own origin by default
     */
    apiOrigin?: string | undefined;
    /**
     * the frame's accessible name
     */
    title?: string | undefined;
    version?: string | undefined;
    /**
     * BCP 47; the page's language by default
     */
    locale?: string | undefined;
    theme?: Theme | undefined;
    /**
     * follow the content's height; true by default
     */
    autoHeight?: boolean | undefined;
    /**
     * pixels
     */
    minHeight?: number | undefined;
    /**
     * pixels
     */
    maxHeight?: number | undefined;
    /**
     * keys that are the product's also while the frame has the focus, for example
     * `['Mod+k', 'Escape']`; `Mod` is Control, or Command on a Mac
     */
    hotkeys?: string[] | undefined;
    /**
     * the UI speaks the window messages of `alga` 1 and not Oriel's; false by default
     */
    alga?: boolean | undefined;
    limits?: Partial<import("./proxy.js").ProxyLimits> | undefined;
    handshakeTimeoutMs?: number | undefined;
    onToast?: ((toast: {
        message: string;
        kind: "info" | "success" | "warning" | "error";
    }) => void) | undefined;
    /**
     * without
     * one, every question is answered no
     */
    onConfirm?: ((question: import("./messages.js").ConfirmMessage) => boolean | Promise<boolean>) | undefined;
};
import { TokenBucket } from './limits.js';
import { SessionTokens } from './session.js';
import { Calls } from './calls.js';
import { Handshake } from './handshake.js';
import { AlgaHandshake } from './alga.js';
