/**
 * UIs that speak the window messages of `alga` 1, without a change to them: `bootstrapIframe(iframe, {alga: true})`.
 *
 *     child → host   {alga: true, version: '1', type, request_id?, payload}
 *                    ready · resize {height} · navigate {path} · apiproxy {route, method, body (base64)}
 *     host → child   bootstrap {session: {token, expires_at}, theme_tokens, navigation: {path}}
 *                    apiproxy_response {body (base64)} or {error} · theme {…}
 *
 * Each message is translated into the bridge's own, and from there on nothing is different: the same shapes are
 * checked, the same floods cut off, and calls go through the same proxy.
 *
 * Rules kept here:
 * - A message counts if it comes from the frame's own window, has exactly this envelope, and the frame still shows the
 *   first document that the host has loaded into it. Where another one loads, the host loads the UI anew.
 * - These UIs know no nonce, and what stands in the frame cannot be told by its origin. Therefore the product's page
 *   must keep frames at the UI origin by its own policy (`frame-src`). That is tried before anything is answered; a
 *   page without it gets `frame_src_missing`.
 * - The first `ready` of a document is answered, once.
 */
import { framesAreConfined } from './confined.js';
import { BridgeError } from './errors.js';
import { TokenBucket } from './limits.js';
import { oneOf, pick, size, text } from './messages.js';

const VERSION = '1';
const RELOADS_PER_SECOND = 0.2;
const RELOAD_BURST = 4;
const MAX_BODY = 12_000_000;

/** @type {ReadonlyMap<string, Record<string, import('./messages.js').Check>>} */
const FROM_CHILD = new Map(/** @type {[string, Record<string, import('./messages.js').Check>][]} */ ([
  ['resize', { height: size }],
  ['navigate', { path: text(4096) }],
  ['apiproxy', { route: text(4096), method: optional(text(16)), body: optional(text(MAX_BODY)) }],
]));

export class AlgaHandshake {
  /**
   * @param {HTMLIFrameElement} iframe
   * @param {import('./handshake.js').HandshakeOptions} options
   */
  constructor(iframe, options) {
    this._iframe = iframe;
    this._options = options;
    this._reloads = new TokenBucket(RELOADS_PER_SECOND, RELOAD_BURST);
    /** @type {AlgaPort | null} */
    this._port = null;
    this._document = '/';
    this._loads = 0;
    this._started = false;
    this._proven = false;
    this._confined = framesAreConfined();
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this._timer = undefined;
    this._onMessage = this._onMessage.bind(this);
    this._onLoad = this._onLoad.bind(this);
    window.addEventListener('message', this._onMessage);
    iframe.addEventListener('load', this._onLoad);
  }

  /** @param {string} document its clean path below the UI's root, with a slash before it */
  begin(document) {
    this._close();
    this._document = document;
    this._loads = 0;
    clearTimeout(this._timer);
    this._timer = setTimeout(() => this._fail('handshake_timeout', 'The extension did not answer.'), this._options.timeoutMs);
    const url = `${this._options.root}${document}#${this._options.path()}`;
    this._started = true;
    this._inNewWindow(url);
  }

  /**
   * Load into a window that no document was in: what an earlier document has sent, and comes late, is another's.
   *
   * @param {string} url
   */
  _inNewWindow(url) {
    const { parentNode, nextSibling } = this._iframe;
    this._iframe.remove();
    this._iframe.src = url;
    parentNode?.insertBefore(this._iframe, nextSibling);
  }

  /** The document is in doubt: load the UI anew. */
  disown() {
    if (this._reloads.take()) this.begin(this._document);
    else this._fail('frame_navigated', 'The extension keeps leaving its page.');
  }

  destroy() {
    this._close();
    clearTimeout(this._timer);
    window.removeEventListener('message', this._onMessage);
    this._iframe.removeEventListener('load', this._onLoad);
  }

  _onLoad() {
    if (!this._started) return;
    this._loads += 1;
    if (this._loads > 1) this.disown();
  }

  /** @param {MessageEvent} event */
  _onMessage({ source, data }) {
    if (source === null || source !== this._iframe.contentWindow || this._loads > 1) return;
    const envelope = pick(data, { alga: oneOf(true), version: text(16), type: text(32) });
    if (envelope === null) return;
    if (envelope.version !== VERSION) this._onOtherVersion();
    else if (envelope.type === 'ready') void this._onReady();
    else this._port?.take(data);
  }

  _onOtherVersion() {
    if (this._port) return;
    this._fail('version_unsupported', `The extension speaks another version of alga than ${VERSION}.`);
  }

  async _onReady() {
    if (this._port) return;
    const port = new AlgaPort((message) => this._iframe.contentWindow?.postMessage(message, '*'), this._options.session);
    this._port = port;
    const isConfined = await this._confined;
    if (this._port !== port) return;
    if (!isConfined) {
      this._fail('frame_src_missing', "The product's page needs a Content-Security-Policy with frame-src.");
      return;
    }
    clearTimeout(this._timer);
    port.onfail = () => this._fail('unavailable', 'The platform gave no session token.');
    this._proven = true;
    this._options.onPort(port, Number(VERSION));
  }

  _close() {
    const wasProven = this._proven;
    this._port?.close();
    this._port = null;
    this._proven = false;
    if (wasProven) this._options.onLost();
  }

  /** @param {string} code @param {string} message */
  _fail(code, message) {
    clearTimeout(this._timer);
    this._close();
    this._options.onFail(new BridgeError(code, message));
  }
}

/** What the frame's handle takes for its port: it hears and says the bridge's own messages. */
class AlgaPort {
  /**
   * @param {(message: object) => void} post to the child's window
   * @param {() => Promise<import('./session.js').SessionToken>} session
   */
  constructor(post, session) {
    this._post = post;
    this._session = session;
    this._isOpen = true;
    this._nextId = 1;
    /** @type {Map<number, string | undefined>} the child's own ids */
    this._asked = new Map();
    /** @type {((event: any) => any) | null} */
    this.onmessage = null;
    /** @type {() => void} */
    this.onfail = () => {};
  }

  close() {
    this._isOpen = false;
    this.onmessage = null;
  }

  /** @param {unknown} data a message of the child, of the right envelope */
  take(data) {
    const { type, request_id: own, payload } = /** @type {Record<string, unknown>} */ (data);
    const shape = FROM_CHILD.get(String(type));
    const read = shape && pick(payload, shape);
    if (!read) return;
    if (type === 'apiproxy') this._call(read, typeof own === 'string' ? own.slice(0, 128) : undefined);
    else this._hear({ type, ...read, ...(type === 'navigate' ? { replace: false } : {}) });
  }

  /** @param {any} message of the bridge, to the child */
  postMessage(message) {
    if (message.type === 'init') void this._bootstrap(message.context);
    else if (message.type === 'theme') this._say('theme', { ...message.theme.tokens });
    else if (message.type === 'response') this._answer(message.id, answerOf(message));
    else if (message.type === 'failure') this._answer(message.id, { error: message.message, code: message.code });
  }

  /** @param {any} call @param {string | undefined} own */
  _call({ route, method, body }, own) {
    const number = this._nextId++;
    this._asked.set(number, own);
    let bytes = null;
    try {
      bytes = body ? decoded(body) : null;
    } catch {
      this._answer(number, { error: 'The body is not base64.', code: 'malformed_request' });
      return;
    }
    const headers = bytes ? [['content-type', 'application/json']] : [];
    this._hear({ type: 'request', id: number, method: (method ?? 'GET').toUpperCase(), path: route, headers, body: bytes });
  }

  /** @param {import('../guest/connection.js').Context} context */
  async _bootstrap({ theme, path }) {
    try {
      const { token, expiresAt } = await this._session();
      const session = { token, expires_at: new Date(expiresAt).toISOString() };
      this._say('bootstrap', { session, theme_tokens: { ...theme.tokens }, navigation: { path } });
    } catch {
      if (this._isOpen) this.onfail();
    }
  }

  /** @param {number} number @param {object} payload */
  _answer(number, payload) {
    if (!this._asked.has(number)) return;
    const own = this._asked.get(number);
    this._asked.delete(number);
    this._say('apiproxy_response', payload, own);
  }

  /** @param {string} type @param {object} payload @param {string} [own] */
  _say(type, payload, own) {
    if (this._isOpen) this._post({ alga: true, version: VERSION, type, ...(own && { request_id: own }), payload });
  }

  /** @param {object} message */
  _hear(message) {
    this.onmessage?.({ data: message });
  }
}

/** @param {import('./messages.js').Check} holds @returns {import('./messages.js').Check} */
function optional(holds) {
  return (value) => value === undefined || value === null || holds(value);
}

/** @param {string} base64 @returns {ArrayBuffer} */
function decoded(base64) {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)).buffer;
}

/** @param {import('./proxy.js').ProxyAnswer} answer */
function answerOf({ status, body }) {
  const bytes = new Uint8Array(body);
  let letters = '';
  for (let at = 0; at < bytes.length; at += 8192) letters += String.fromCharCode(...bytes.subarray(at, at + 8192));
  const encoded = btoa(letters);
  return status < 400 ? { body: encoded } : { error: `The extension answered ${status}.`, status, body: encoded };
}
