/**
 * @typedef {{nonce: string, versions: number[], document: string}} Hello
 * @typedef {{type: 'accept', nonce: string}} Accept
 * @typedef {{type: 'request', id: number, method: string, path: string, headers: [string, string][],
 *   body: ArrayBuffer | null}} RequestMessage
 * @typedef {{type: 'abort', id: number}} AbortMessage
 * @typedef {{type: 'session', id: number, fresh: boolean}} SessionMessage
 * @typedef {{type: 'hotkey', key: string}} HotkeyMessage
 * @typedef {{type: 'resize', height: number}} ResizeMessage
 * @typedef {{type: 'navigate', path: string, replace: boolean}} NavigateMessage
 * @typedef {{type: 'toast', message: string, kind: 'info' | 'success' | 'warning' | 'error'}} ToastMessage
 * @typedef {{type: 'confirm', id: number, title: string, message: string, confirmLabel: string, cancelLabel: string,
 *   danger: boolean}} ConfirmMessage
 * @typedef {{type: 'pong', id: number}} Pong
 * @typedef {Accept | RequestMessage | AbortMessage | SessionMessage | ResizeMessage | NavigateMessage | HotkeyMessage |
 *   ToastMessage | ConfirmMessage | Pong} GuestMessage
 */
/**
 * @param {unknown} data of a window message
 * @returns {Hello | null}
 */
export function readHello(data: unknown): Hello | null;
/**
 * @param {unknown} data of a port message
 * @returns {GuestMessage | null}
 */
export function readGuestMessage(data: unknown): GuestMessage | null;
/**
 * Only the properties of `shape`, in an object without a prototype.
 *
 * @param {unknown} data
 * @param {Record<string, Check>} shape
 */
export function pick(data: unknown, shape: Record<string, Check>): any;
/**
 * The words of the bridge, version 1, and how a stranger's message is read.
 *
 * On the window, until a port is handed over (host: only from the frame's own window):
 *     guest → host   {oriel: 'hello', nonce, versions, document}      an empty nonce asks for one
 *     host → guest   {oriel: 'port'} with one MessagePort             or {oriel: 'refused', versions}
 *
 * On the port, once the guest has brought the nonce back over it:
 *     guest → host   accept, request, abort, session, resize, navigate, hotkey, toast, confirm, pong
 *     host → guest   init, response, session, failure, navigate, focus, theme, locale, confirmed, ping, bye
 *
 * Rules kept here: a message counts by its own properties alone, each checked; what is not asked for is not read;
 * an unknown or malformed message is ignored.
 */
export const VERSIONS: number[];
export function text(limit: number): Check;
/** @type {Check} */
export const id: Check;
export function oneOf(...values: readonly unknown[]): Check;
/** @type {Check} */
export const size: Check;
export type Hello = {
    nonce: string;
    versions: number[];
    document: string;
};
export type Accept = {
    type: "accept";
    nonce: string;
};
export type RequestMessage = {
    type: "request";
    id: number;
    method: string;
    path: string;
    headers: [string, string][];
    body: ArrayBuffer | null;
};
export type AbortMessage = {
    type: "abort";
    id: number;
};
export type SessionMessage = {
    type: "session";
    id: number;
    fresh: boolean;
};
export type HotkeyMessage = {
    type: "hotkey";
    key: string;
};
export type ResizeMessage = {
    type: "resize";
    height: number;
};
export type NavigateMessage = {
    type: "navigate";
    path: string;
    replace: boolean;
};
export type ToastMessage = {
    type: "toast";
    message: string;
    kind: "info" | "success" | "warning" | "error";
};
export type ConfirmMessage = {
    type: "confirm";
    id: number;
    title: string;
    message: string;
    confirmLabel: string;
    cancelLabel: string;
    danger: boolean;
};
export type Pong = {
    type: "pong";
    id: number;
};
export type GuestMessage = Accept | RequestMessage | AbortMessage | SessionMessage | ResizeMessage | NavigateMessage | HotkeyMessage | ToastMessage | ConfirmMessage | Pong;
export type Check = (value: unknown) => boolean;
