/**
 * What an extension's UI can do with the product around it.
 *
 * Rules kept here:
 * - `fetch` is shaped like the browser's: any status is a Response; what never became one rejects, with an AbortError
 *   for the caller's own abort.
 * - Whatever is asked before the product has answered waits for it.
 * - A key that the product has asked for is the product's where the app leaves it alone (`preventDefault`).
 * - The place inside the app is in `location.hash`, so hash routers work unchanged, and the product's URL follows it.
 */
import { Connection } from './connection.js';
import { OrielError } from './errors.js';
import { focusBeginning, hotkeyOf } from './keyboard.js';
import { applyTheme } from './theme.js';

const NULL_BODY = new Set([204, 205, 304]);

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
  constructor() {
    super();
    /** @type {import('./connection.js').Context | null} */
    this._context = null;
    /** @type {Map<number, Waiting>} */
    this._waiting = new Map();
    this._nextId = 1;
    this._path = '/';
    this._height = -1;
    this._ready = this._expect();
    this._connection = new Connection({
      open: (context) => this._open(context),
      message: (message) => this._receive(message),
      lost: () => this._lost(),
      fail: (error) => this._settle?.reject(error),
    });
    this._observer = new ResizeObserver(() => this._measure());
    window.addEventListener('hashchange', () => this._onHashChange());
    window.addEventListener('keydown', (event) => this._onKey(event));
  }

  /**
   * Resolves with the context once the product has answered; rejects with an OrielError.
   *
   * @returns {Promise<import('./connection.js').Context>}
   */
  ready() {
    return this._ready;
  }

  /** Extension id, content hash, version, locale, theme and path; throws before `ready()`. */
  get context() {
    if (!this._context) throw new OrielError('not_ready', 'Await oriel.ready() first.');
    return this._context;
  }

  /** The place inside the app, for example `/reports/7`. */
  get path() {
    return this._path;
  }

  /**
   * Call the extension's own handler.
   *
   * @param {string | URL} path under the extension's routes, for example `/reports?year=2026`
   * @param {{method?: string, headers?: HeadersInit, body?: BodyInit | null, signal?: AbortSignal}} [init]
   * @returns {Promise<Response>}
   */
  async fetch(path, { method = 'GET', headers, body = null, signal } = {}) {
    await this._ready;
    signal?.throwIfAborted();
    const packed = new Response(body);
    const all = new Headers(headers);
    const type = packed.headers.get('content-type');
    if (type && !all.has('content-type')) all.set('content-type', type);
    const bytes = body === null ? null : await packed.arrayBuffer();
    signal?.throwIfAborted();
    const call = { type: 'request', method: method.toUpperCase(), path: String(path), headers: [...all], body: bytes };
    const answer = await this._ask(call, bytes ? [bytes] : [], signal);
    const { status, statusText } = answer;
    return new Response(NULL_BODY.has(status) ? null : answer.body, { status, statusText, headers: answer.headers });
  }

  /**
   * A token with which the extension's own backend can tell who is there: for this user, tenant and install, for this
   * extension, for a minute at most. Ask for it whenever it is needed; the library renews it.
   *
   * @param {{fresh?: boolean}} [wish] another one than the last
   * @returns {Promise<string>}
   */
  async sessionToken({ fresh = false } = {}) {
    await this._ready;
    return (await this._ask({ type: 'session', fresh })).token;
  }

  /**
   * Go to a place inside the app; the product's own URL follows.
   *
   * @param {string} path for example `/reports/7`
   * @param {{replace?: boolean}} [options] `replace` leaves no step for Back
   */
  navigate(path, { replace = false } = {}) {
    const encoded = new URL(`#${path}`, location.href).hash.slice(1);
    if (encoded === this._path) return;
    this._go(encoded);
    this._connection.send({ type: 'navigate', path: encoded, replace });
  }

  /**
   * A short note, shown by the product.
   *
   * @param {string} message
   * @param {'info' | 'success' | 'warning' | 'error'} [kind]
   */
  toast(message, kind = 'info') {
    this._connection.send({ type: 'toast', message: message.slice(0, 500), kind });
  }

  /**
   * Ask the user, in a dialog of the product.
   *
   * @param {string | Question} question
   * @returns {Promise<boolean>}
   */
  async confirm(question) {
    await this._ready;
    const { title, message = '', confirmLabel = '', cancelLabel = '', danger = false } =
      typeof question === 'string' ? { title: question } : question;
    const focused = document.activeElement;
    const answer = await this._ask({ type: 'confirm', title, message, confirmLabel, cancelLabel, danger });
    if (focused instanceof HTMLElement && focused !== document.body) focused.focus({ preventScroll: true });
    return answer;
  }

  /** The product's next answer. */
  _expect() {
    /** @type {Promise<import('./connection.js').Context>} */
    const ready = new Promise((resolve, reject) => {
      this._settle = { resolve, reject };
    });
    ready.catch(() => {});
    return ready;
  }

  /** @param {import('./connection.js').Context} context */
  _open(context) {
    this._context = context;
    applyTheme(context.theme);
    document.documentElement.lang = context.locale;
    this._go(context.path);
    this._height = -1;
    this._observer.observe(document.documentElement);
    this._settle?.resolve(context);
  }

  /** @param {any} message */
  _receive(message) {
    switch (message.type) {
      case 'response':
      case 'session':
        return this._take(message.id)?.resolve(message);
      case 'failure':
        return this._take(message.id)?.reject(new OrielError(message.code, message.message));
      case 'confirmed':
        return this._take(message.id)?.resolve(message.value);
      case 'navigate':
        return this._go(message.path);
      case 'focus':
        return focusBeginning();
      case 'theme':
        applyTheme(message.theme);
        return this._changed('theme', message.theme);
      case 'locale':
        document.documentElement.lang = message.locale;
        return this._changed('locale', message.locale);
    }
  }

  /**
   * @param {{type: string} & Record<string, unknown>} message
   * @param {Transferable[]} [transfer]
   * @param {AbortSignal} [signal]
   * @returns {Promise<any>}
   */
  _ask(message, transfer = [], signal) {
    const id = this._nextId++;
    return new Promise((resolve, reject) => {
      const abort = () => {
        this._connection.send({ type: 'abort', id });
        this._take(id)?.reject(signal?.reason);
      };
      const settle = (/** @type {(value: any) => void} */ end) => (/** @type {unknown} */ value) => {
        signal?.removeEventListener('abort', abort);
        end(value);
      };
      this._waiting.set(id, { resolve: settle(resolve), reject: settle(reject) });
      signal?.addEventListener('abort', abort, { once: true });
      this._connection.send({ ...message, id }, transfer);
    });
  }

  /** @param {number} id */
  _take(id) {
    const waiting = this._waiting.get(id);
    this._waiting.delete(id);
    return waiting;
  }

  /** Be at `path`, without a step in the frame's own history. @param {string} path */
  _go(path) {
    if (location.hash !== `#${path}`) location.replace(`#${path}`);
    if (path === this._path) return;
    this._path = path;
    this.dispatchEvent(new CustomEvent('navigate', { detail: { path } }));
  }

  /** The app's own link or the Back button moved within the frame: that step is in the history already. */
  _onHashChange() {
    const path = location.hash.slice(1) || '/';
    if (path === this._path || !path.startsWith('/')) return;
    this._path = path;
    this._connection.send({ type: 'navigate', path, replace: true });
    this.dispatchEvent(new CustomEvent('navigate', { detail: { path } }));
  }

  /** @param {KeyboardEvent} event */
  _onKey(event) {
    const key = hotkeyOf(event);
    if (!key || !this._context?.hotkeys.includes(key)) return;
    event.preventDefault();
    this._connection.send({ type: 'hotkey', key });
  }

  _measure() {
    const height = Math.ceil(document.documentElement.getBoundingClientRect().height);
    if (height === this._height) return;
    this._height = height;
    this._connection.send({ type: 'resize', height });
  }

  /**
   * @param {'theme' | 'locale'} name
   * @param {any} value
   */
  _changed(name, value) {
    if (this._context) this._context = { ...this._context, [name]: value };
    this.dispatchEvent(new CustomEvent(name, { detail: value }));
  }

  _lost() {
    const error = new OrielError('lost', 'The product ended the conversation.');
    for (const { reject } of this._waiting.values()) reject(error);
    this._waiting.clear();
    this._ready = this._expect();
    this._observer.disconnect();
    this.dispatchEvent(new CustomEvent('lost'));
  }
}

export const oriel = new OrielGuest();
