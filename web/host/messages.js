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

export const VERSIONS = [1];

/** @typedef {(value: unknown) => boolean} Check */

/** @param {number} limit @returns {Check} */
export const text = (limit) => (value) => typeof value === 'string' && value.length <= limit;
/** @type {Check} */
export const id = (value) => Number.isSafeInteger(value) && Number(value) > 0;
/** @type {Check} */
const flag = (value) => typeof value === 'boolean';
/** @param {readonly unknown[]} values @returns {Check} */
export const oneOf = (...values) => (value) => values.includes(value);
/** @type {Check} */
export const size = (value) => typeof value === 'number' && Number.isFinite(value) && value >= 0;
/** @type {Check} */
const body = (value) => value === null || value instanceof ArrayBuffer;
/** @type {Check} */
const versions = (value) => Array.isArray(value) && value.length <= 16 && value.every(Number.isSafeInteger);
/** @type {Check} */
const headers = (value) => Array.isArray(value) && value.length <= 64 && value.every(isPair);
/** @param {unknown} value */
const isPair = (value) => Array.isArray(value) && value.length === 2 && value.every(text(8192));

const HELLO = { oriel: oneOf('hello'), nonce: text(64), versions, document: text(4096) };

/** @type {ReadonlyMap<string, Record<string, Check>>} */
const FROM_GUEST = new Map(
  Object.entries(/** @type {Record<string, Record<string, Check>>} */ ({
    accept: { nonce: text(64) },
    request: { id, method: text(16), path: text(4096), headers, body },
    abort: { id },
    session: { id, fresh: flag },
    resize: { height: size },
    navigate: { path: text(4096), replace: flag },
    hotkey: { key: text(40) },
    toast: { message: text(500), kind: oneOf('info', 'success', 'warning', 'error') },
    confirm: { id, title: text(200), message: text(2000), confirmLabel: text(60), cancelLabel: text(60), danger: flag },
    pong: { id },
  })),
);

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
export function readHello(data) {
  return /** @type {Hello | null} */ (pick(data, HELLO));
}

/**
 * @param {unknown} data of a port message
 * @returns {GuestMessage | null}
 */
export function readGuestMessage(data) {
  const type = own(data, 'type');
  const shape = typeof type === 'string' ? FROM_GUEST.get(type) : undefined;
  return shape ? /** @type {GuestMessage | null} */ (pick(data, { type: oneOf(type), ...shape })) : null;
}

/**
 * Only the properties of `shape`, in an object without a prototype.
 *
 * @param {unknown} data
 * @param {Record<string, Check>} shape
 */
export function pick(data, shape) {
  const picked = Object.create(null);
  for (const [name, holds] of Object.entries(shape)) {
    const value = own(data, name);
    if (!holds(value)) return null;
    picked[name] = value;
  }
  return picked;
}

/** @param {unknown} data @param {string} name */
function own(data, name) {
  const isObject = typeof data === 'object' && data !== null;
  return isObject && Object.hasOwn(data, name) ? /** @type {Record<string, unknown>} */ (data)[name] : undefined;
}
