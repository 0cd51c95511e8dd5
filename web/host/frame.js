/**
 * An extension's UI in a sandboxed iframe, and the product's side of the conversation with it.
 *
 * Rules kept here:
 * - `sandbox="allow-scripts allow-forms"`, never `allow-same-origin`; no permission policy, no referrer.
 * - What a frame asks of the product (height, place, toast, question) is bounded here and decided by the product.
 * - A frame that floods the bridge is cut off.
 */
import { AlgaHandshake } from './alga.js';
import { Calls } from './calls.js';
import { BridgeError } from './errors.js';
import { Handshake } from './handshake.js';
import { TokenBucket } from './limits.js';
import { readGuestMessage } from './messages.js';
import { ApiProxy } from './proxy.js';
import { SessionTokens } from './session.js';
import { innerPath, servedPath, uiRoot } from './src.js';

export const SANDBOX = 'allow-scripts allow-forms';
const HANDSHAKE_TIMEOUT_MS = 10_000;
const PONG_TIMEOUT_MS = 5_000;
const MESSAGES_PER_SECOND = 200;
const MESSAGE_BURST = 400;
const FLOOD_MESSAGES = 2_000;
const TOASTS_PER_SECOND = 0.5;
const TOAST_BURST = 3;
const HOTKEYS_PER_SECOND = 4;
const HOTKEY_BURST = 8;
const MAX_HOTKEYS = 32;

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
export function bootstrapIframe(iframe, options) {
  return new ExtensionFrame(iframe, options);
}

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
  constructor(iframe, options) {
    super();
    const { uiOrigin, extensionId, contentHash, entry } = options;
    this._iframe = iframe;
    this._options = options;
    this._path = innerPath(options.path ?? '/');
    this._theme = options.theme ?? {};
    this._locale = options.locale ?? (document.documentElement.lang || navigator.language);
    this._toasts = new TokenBucket(TOASTS_PER_SECOND, TOAST_BURST);
    this._hotkeys = new Set((options.hotkeys ?? []).slice(0, MAX_HOTKEYS));
    this._presses = new TokenBucket(HOTKEYS_PER_SECOND, HOTKEY_BURST);
    this._asking = false;
    /** @type {Pick<MessagePort, 'postMessage' | 'onmessage' | 'close'> | null} */
    this._port = null;
    const { getToken, limits, apiOrigin = location.origin } = options;
    this._sessions = new SessionTokens({ apiOrigin, extensionId, getToken });
    this._calls = new Calls(new ApiProxy({ apiOrigin, extensionId, getToken, limits }), this._sessions);
    this._prepare();
    const Way = options.alga ? AlgaHandshake : Handshake;
    this._handshake = new Way(iframe, {
      root: uiRoot({ uiOrigin, extensionId, contentHash }),
      path: () => this._path,
      session: () => this._sessions.get(),
      timeoutMs: options.handshakeTimeoutMs ?? HANDSHAKE_TIMEOUT_MS,
      onPort: (port, version) => this._open(port, version),
      onDoubt: () => this._ping(),
      onLost: () => this._drop(),
      onFail: (error) => this._emit('error', error),
    });
    this._handshake.begin(servedPath(entry));
  }

  /** The place inside the app, as the product last set it or the app last told it. */
  get path() {
    return this._path;
  }

  /** True while a document of the extension holds the port. */
  get isReady() {
    return this._port !== null;
  }

  /**
   * Tell the app to go to a place, for example because the user pressed Back.
   *
   * @param {string} path
   * @throws {BridgeError} `invalid_path`
   */
  navigate(path) {
    this._path = innerPath(path);
    this._send({ type: 'navigate', path: this._path });
  }

  /**
   * Give the app another look.
   *
   * @param {Theme} theme
   */
  setTheme(theme) {
    this._theme = theme;
    this._iframe.style.colorScheme = theme.scheme ?? 'normal';
    this._send({ type: 'theme', theme });
  }

  /**
   * Give the app another language.
   *
   * @param {string} locale BCP 47
   */
  setLocale(locale) {
    if (locale === this._locale) return;
    this._locale = locale;
    this._send({ type: 'locale', locale });
  }

  /** Put the keyboard into the frame, at the beginning of the app. */
  focus() {
    this._iframe.focus();
    this._send({ type: 'focus' });
  }

  /** End the conversation and unload the frame. The iframe element itself stays the caller's. */
  destroy() {
    this._handshake.destroy();
    this._drop();
    this._iframe.contentWindow?.location.replace('about:blank');
  }

  _prepare() {
    const { title, extensionId } = this._options;
    this._iframe.setAttribute('sandbox', SANDBOX);
    this._iframe.setAttribute('allow', '');
    this._iframe.referrerPolicy = 'no-referrer';
    this._iframe.title = title ?? extensionId;
    this._iframe.style.colorScheme = this._theme.scheme ?? 'normal';
  }

  /**
   * @param {Pick<MessagePort, 'postMessage' | 'onmessage' | 'close'>} port
   * @param {number} version
   */
  _open(port, version) {
    const { extensionId, contentHash, version: release = null } = this._options;
    const bucket = new TokenBucket(MESSAGES_PER_SECOND, MESSAGE_BURST);
    let refused = 0;
    this._port = port;
    this._calls.begin(port);
    port.onmessage = ({ data }) => {
      if (bucket.take()) this._receive(data);
      else if ((refused += 1) > FLOOD_MESSAGES) this._cutOff();
    };
    const [locale, theme, path, hotkeys] = [this._locale, this._theme, this._path, [...this._hotkeys]];
    const context = { extensionId, contentHash, version: release, locale, theme, path, hotkeys };
    this._send({ type: 'init', version, context });
    this._emit('ready');
  }

  /** @param {unknown} data */
  _receive(data) {
    const message = readGuestMessage(data);
    switch (message?.type) {
      case 'request':
        return void this._calls.call(message);
      case 'abort':
        return this._calls.abort(message.id);
      case 'session':
        return void this._calls.mint(message);
      case 'hotkey':
        return this._press(message);
      case 'resize':
        return this._resize(message.height);
      case 'navigate':
        return this._follow(message);
      case 'toast':
        return void (this._toasts.take() && this._options.onToast?.({ message: message.message, kind: message.kind }));
      case 'confirm':
        return void this._ask(message);
      case 'pong':
        return clearTimeout(this._pongTimer);
    }
  }

  /** @param {import('./messages.js').HotkeyMessage} message */
  _press({ key }) {
    if (this._hotkeys.has(key) && this._presses.take()) this._emit('hotkey', { key });
  }

  /** @param {number} wanted pixels */
  _resize(wanted) {
    const { autoHeight = true, minHeight = 0, maxHeight = 20_000 } = this._options;
    if (!autoHeight) return;
    const height = Math.min(Math.max(Math.ceil(wanted), minHeight), maxHeight);
    this._iframe.style.height = `${height}px`;
    this._emit('resize', { height });
  }

  /** @param {import('./messages.js').NavigateMessage} message */
  _follow({ path, replace }) {
    let clean;
    try {
      clean = innerPath(path);
    } catch {
      return;
    }
    if (clean === this._path) return;
    this._path = clean;
    this._emit('navigate', { path: clean, replace });
  }

  /** @param {import('./messages.js').ConfirmMessage} question */
  async _ask(question) {
    const port = this._port;
    const isFree = !this._asking;
    let value = false;
    if (isFree) {
      this._asking = true;
      value = (await this._options.onConfirm?.(question)) === true;
      this._asking = false;
    }
    if (port === this._port) this._send({ type: 'confirmed', id: question.id, value });
  }

  /** A document that still has its port answers at once; one that is gone never does. */
  _ping() {
    this._send({ type: 'ping', id: 1 });
    this._pongTimer = setTimeout(() => this._handshake.disown(), PONG_TIMEOUT_MS);
  }

  _cutOff() {
    this._handshake.destroy();
    this._drop();
    this._emit('error', new BridgeError('flooded', 'The extension sent too many messages and was cut off.'));
  }

  _drop() {
    clearTimeout(this._pongTimer);
    const wasReady = this._port !== null;
    this._port = null;
    this._calls.end();
    if (wasReady) this._emit('lost');
  }

  /** @param {object} message */
  _send(message) {
    this._port?.postMessage(message);
  }

  /**
   * @param {string} type
   * @param {unknown} [detail]
   */
  _emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
