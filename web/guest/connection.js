/**
 * The guest's half of the handshake: bring the nonce from the URL, get a port, prove the nonce over it.
 *
 * Rules kept here:
 * - The fragment `#oriel:<nonce>:<path>` is taken away at once and `#<path>` is left, so that nothing else sees it.
 * - Only the parent window is listened to. The policy `frame-ancestors` says which pages can be that.
 * - The context must name this very extension and bundle: another extension's frame is not a host.
 * - A document without a nonce, or one whose host was lost, asks for a new one; the host brings it in the fragment.
 */
import { OrielError } from './errors.js';

const VERSIONS = [1];
const HELLO_EVERY_MS = 250;
const HELLOS_WITH_NONCE = 12;
const HELLOS = 120;
const FRAGMENT = /^#oriel:([0-9a-f]*):(.*)$/s;

/**
 * @typedef {object} Context
 * @property {string} extensionId
 * @property {string} contentHash
 * @property {string | null} version
 * @property {string} locale
 * @property {{scheme?: 'light' | 'dark', tokens?: Record<string, string>}} theme
 * @property {string} path
 * @property {string[]} hotkeys keys that the product wants also while the frame has the focus
 */

export class Connection {
  /**
   * @param {object} on
   * @param {(context: Context) => void} on.open
   * @param {(message: {type: string} & Record<string, unknown>) => void} on.message
   * @param {() => void} on.lost
   * @param {(error: OrielError) => void} on.fail
   */
  constructor(on) {
    this._on = on;
    /** @type {MessagePort | null} */
    this._port = null;
    this._nonce = takeNonce() ?? '';
    this._hellos = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this._timer = undefined;
    window.addEventListener('message', (event) => this._onWindowMessage(event));
    window.addEventListener('hashchange', (event) => this._onHashChange(event), { capture: true });
    if (window.parent === window) {
      const message = 'This page is the UI of an extension and works inside its product only.';
      queueMicrotask(() => on.fail(new OrielError('not_embedded', message)));
    } else {
      this._hello();
    }
  }

  /**
   * @param {{type: string} & Record<string, unknown>} message
   * @param {Transferable[]} [transfer]
   */
  send(message, transfer = []) {
    this._port?.postMessage(message, transfer);
  }

  _hello() {
    clearTimeout(this._timer);
    if (this._hellos === HELLOS) {
      this._on.fail(new OrielError('handshake_timeout', 'The product did not answer.'));
      return;
    }
    if (this._hellos === HELLOS_WITH_NONCE) this._nonce = '';
    this._hellos += 1;
    const hello = { oriel: 'hello', nonce: this._nonce, versions: VERSIONS, document: location.pathname };
    window.parent.postMessage(hello, '*');
    this._timer = setTimeout(() => this._hello(), HELLO_EVERY_MS);
  }

  /** @param {MessageEvent} event */
  _onWindowMessage({ source, data, ports }) {
    if (source !== window.parent) return;
    if (data?.oriel === 'port' && ports.length === 1) this._accept(ports[0]);
    else if (data?.oriel === 'refused') this._refused();
  }

  /** @param {HashChangeEvent} event */
  _onHashChange(event) {
    const nonce = takeNonce();
    if (nonce === null) return;
    event.stopImmediatePropagation();
    this._begin(nonce);
  }

  /** @param {string} nonce empty to ask for one */
  _begin(nonce) {
    this._lose();
    this._nonce = nonce;
    this._hellos = 0;
    this._hello();
  }

  /** @param {MessagePort} port */
  _accept(port) {
    clearTimeout(this._timer);
    port.onmessage = ({ data }) => this._onPortMessage(port, data);
    port.postMessage({ type: 'accept', nonce: this._nonce });
    this._nonce = '';
  }

  _refused() {
    clearTimeout(this._timer);
    this._on.fail(new OrielError('version_unsupported', 'The product speaks no version of the bridge that we do.'));
  }

  /**
   * @param {MessagePort} port
   * @param {any} data from the host, which is trusted to be well-formed
   */
  _onPortMessage(port, data) {
    if (data.type === 'init') this._open(port, data.context);
    else if (data.type === 'ping') port.postMessage({ type: 'pong', id: data.id });
    else if (data.type === 'bye') this._begin('');
    else this._on.message(data);
  }

  /**
   * @param {MessagePort} port
   * @param {Context} context
   */
  _open(port, context) {
    const own = `/ext-ui/${context.extensionId}/${context.contentHash}/`;
    if (!location.pathname.startsWith(own)) {
      port.close();
      this._on.fail(new OrielError('wrong_host', 'The frame belongs to another extension.'));
      return;
    }
    this._port = port;
    this._on.open(context);
  }

  _lose() {
    if (!this._port) return;
    this._port.close();
    this._port = null;
    this._on.lost();
  }
}

/** The nonce in the fragment, which is then without it; null where there is none. */
function takeNonce() {
  const match = FRAGMENT.exec(location.hash);
  if (!match) return null;
  history.replaceState(history.state, '', `#${match[2]}`);
  return match[1];
}
