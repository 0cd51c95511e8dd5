/** @typedef {{resolve: (value: any) => void, reject: (reason: unknown) => void}} Waiting */
/**
 * @typedef {object} Question
 * @property {string} title
 * @property {string} [message]
 * @property {string} [confirmLabel]
 * @property {string} [cancelLabel]
 * @property {boolean} [danger] the answer yes destroys something
 */
/**
 * An extension's UI and the product around it; use the one instance, `oriel`.
 *
 * @fires navigate (detail: {path}) the app is at another place
 * @fires theme (detail: the theme) the product looks different now
 * @fires locale (detail: the locale) the product speaks another language now
 * @fires lost the product ended the conversation; `ready()` waits for the next
 */
export class OrielGuest extends EventTarget {
    /**
     * Resolves with the context once the product has answered; rejects with an OrielError.
     *
     * @returns {Promise<import('./connection.js').Context>}
     */
    ready(): Promise<import("./connection.js").Context>;
    /** Extension id, content hash, version, locale, theme and path; throws before `ready()`. */
    get context(): import("./connection.js").Context;
    /** The place inside the app, for example `/reports/7`. */
    get path(): string;
    /**
     * Call the extension's own handler.
     *
     * @param {string | URL} path under the extension's routes, for example `/reports?year=2026`
     * @param {{method?: string, headers?: HeadersInit, body?: BodyInit | null, signal?: AbortSignal}} [init]
     * @returns {Promise<Response>}
     */
    fetch(path: string | URL, { method, headers, body, signal }?: {
        method?: string;
        headers?: HeadersInit;
        body?: BodyInit | null;
        signal?: AbortSignal;
    }): Promise<Response>;
    /**
     * A token with which the extension's own backend can tell who is there: for this user, tenant and install, for this
     * extension, for a minute at most. Ask for it whenever it is needed; the library renews it.
     *
     * @param {{fresh?: boolean}} [wish] another one than the last
     * @returns {Promise<string>}
     */
    sessionToken({ fresh }?: {
        fresh?: boolean;
    }): Promise<string>;
    /**
     * Go to a place inside the app; the product's own URL follows.
     *
     * @param {string} path for example `/reports/7`
     * @param {{replace?: boolean}} [options] `replace` leaves no step for Back
     */
    navigate(path: string, { replace }?: {
        replace?: boolean;
    }): void;
    /**
     * A short note, shown by the product.
     *
     * @param {string} message
     * @param {'info' | 'success' | 'warning' | 'error'} [kind]
     */
    toast(message: string, kind?: "info" | "success" | "warning" | "error"): void;
    /**
     * Ask the user, in a dialog of the product.
     *
     * @param {string | Question} question
     * @returns {Promise<boolean>}
     */
    confirm(question: string | Question): Promise<boolean>;
}
export const oriel: OrielGuest;
export type Waiting = {
    resolve: (value: any) => void;
    reject: (reason: unknown) => void;
};
export type Question = {
    title: string;
    message?: string | undefined;
    confirmLabel?: string | undefined;
    cancelLabel?: string | undefined;
    /**
     * the answer yes destroys something
     */
    danger?: boolean | undefined;
};
import { Connection } from './connection.js';
