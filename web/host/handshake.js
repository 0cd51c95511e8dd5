/**
 * Giving a MessagePort to the document that the host itself has loaded into a frame, and to no other.
 *
 * The frame's origin is opaque, so an origin can neither be checked nor be aimed at. What can be aimed is a URL: the
 * host navigates the frame to the UI's URL with a nonce in the fragment, which only the document at that URL can read.
 * Where that document is there already, this is a fragment navigation and it stays; where another one is, it goes.
 *
 * Rules kept here:
 * - A window message counts if it comes from the frame's own window, is well-formed and carries the pending nonce. A
 *   nonce is taken once; nothing a message says about origins is used.
 * - The port is inert until the nonce comes back over it: a document that was swapped in between has no use of it.
 * - After a port is given the window is ignored until the frame has loaded another document. That one may ask, with an
 *   empty nonce, to be handshaken anew: the host answers by navigating the frame itself, with a fresh nonce.
 */
import { BridgeError } from './errors.js';
import { TokenBucket } from './limits.js';
import { readGuestMessage, readHello, VERSIONS } from './messages.js';
import { cleanPath } from './paths.js';

const KNOCKS_PER_SECOND = 0.5;
const KNOCK_BURST = 6;

/**
 * @typedef {object} HandshakeOptions
 * @property {string} root the URL all documents of the UI lie under
 * @property {() => string} path the place inside the app that the fragment names
 * @property {() => Promise<import('./session.js').SessionToken>} session a session token, where the way needs one
 * @property {(port: Pick<MessagePort, 'postMessage' | 'onmessage' | 'close'>, version: number) => void} onPort a
 *   document has proven itself
 * @property {() => void} onDoubt a document has loaded; it may be another one than that which has the port
 * @property {() => void} onLost the document that had the port is gone
 * @property {(error: BridgeError) => void} onFail no document has proven itself
 * @property {number} timeoutMs for one handshake
 */

export class Handshake {
  /**
   * @param {HTMLIFrameElement} iframe
   * @param {HandshakeOptions} options
   */
  constructor(iframe, options) {
    this._iframe = iframe;
    this._options = options;
    this._knocks = new TokenBucket(KNOCKS_PER_SECOND, KNOCK_BURST);
    /** @type {MessagePort | null} */
    this._port = null;
    this._nonce = '';
    this._proven = false;
    this._started = false;
    this._ownLoad = false;
    this._mayKnock = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this._timer = undefined;
    this._onMessage = this._onMessage.bind(this);
    this._onLoad = this._onLoad.bind(this);
    window.addEventListener('message', this._onMessage);
    iframe.addEventListener('load', this._onLoad);
  }

  /**
   * Load a document of the UI and wait for it to ask for its port.
   *
   * @param {string} document its clean path below the UI's root, with a slash before it
   */
  begin(document) {
    this._close();
    this._nonce = freshNonce();
    this._ownLoad = true;
    this._startTimer();
    const url = `${this._options.root}${document}#oriel:${this._nonce}:${this._options.path()}`;
    if (this._started) this._iframe.contentWindow?.location.replace(url);
    else this._iframe.src = url;
    this._started = true;
  }

  destroy() {
    this._close();
    clearTimeout(this._timer);
    window.removeEventListener('message', this._onMessage);
    this._iframe.removeEventListener('load', this._onLoad);
  }

  /** @param {MessageEvent} event */
  _onMessage(event) {
    if (event.source === null || event.source !== this._iframe.contentWindow) return;
    const hello = readHello(event.data);
    if (hello === null) return;
    if (hello.nonce === '') this._onKnock(hello.document);
    else if (hello.nonce === this._nonce) this._offer(hello.versions);
  }

  /** @param {number[]} versions the guest's */
  _offer(versions) {
    const nonce = this._nonce;
    this._nonce = '';
    const version = Math.max(...versions.filter((candidate) => VERSIONS.includes(candidate)));
    if (!Number.isFinite(version)) {
      this._post({ oriel: 'refused', versions: VERSIONS });
      this._fail('version_unsupported', 'The extension speaks no version of the bridge that this product does.');
      return;
    }
    const { port1, port2 } = new MessageChannel();
    this._port = port1;
    port1.onmessage = ({ data }) => {
      const message = readGuestMessage(data);
      if (message?.type === 'accept' && message.nonce === nonce) this._prove(port1, version);
      else port1.close();
    };
    this._post({ oriel: 'port' }, [port2]);
  }

  /**
   * @param {MessagePort} port
   * @param {number} version
   */
  _prove(port, version) {
    clearTimeout(this._timer);
    port.onmessage = null;
    this._proven = true;
    this._options.onPort(port, version);
  }

  /** @param {string} pathname of the document that asks, by its own word */
  _onKnock(pathname) {
    const document = this._documentAt(pathname);
    if (document === null || !this._mayKnock || !this._knocks.take()) return;
    this._mayKnock = false;
    this.begin(document);
  }

  /** @param {string} pathname @returns {string | null} the document's path below the UI's root */
  _documentAt(pathname) {
    const root = new URL(this._options.root).pathname;
    if (!pathname.startsWith(`${root}/`)) return null;
    try {
      return cleanPath(pathname.slice(root.length)).pathname;
    } catch {
      return null;
    }
  }

  _onLoad() {
    this._mayKnock = this._started;
    if (this._ownLoad) {
      this._ownLoad = false;
      if (this._proven) this._options.onDoubt();
    } else if (this._proven) {
      this.disown();
    }
  }

  /** Take the port back and wait for a document to ask for a new one. */
  disown() {
    this._close();
    this._startTimer();
  }

  _close() {
    const wasProven = this._proven;
    if (wasProven) this._port?.postMessage({ type: 'bye' });
    this._port?.close();
    this._port = null;
    this._proven = false;
    this._nonce = '';
    if (wasProven) this._options.onLost();
  }

  _startTimer() {
    clearTimeout(this._timer);
    const seconds = this._options.timeoutMs / 1000;
    this._timer = setTimeout(
      () => this._fail('handshake_timeout', `The extension did not answer within ${seconds} s.`),
      this._options.timeoutMs,
    );
  }

  /**
   * @param {string} code
   * @param {string} message
   */
  _fail(code, message) {
    clearTimeout(this._timer);
    this._close();
    this._options.onFail(new BridgeError(code, message));
  }

  /**
   * @param {object} message holds no secret: an opaque origin cannot be aimed at
   * @param {Transferable[]} [transfer]
   */
  _post(message, transfer = []) {
    this._iframe.contentWindow?.postMessage(message, '*', transfer);
  }
}

function freshNonce() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
