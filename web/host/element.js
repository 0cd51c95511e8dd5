/**
 * `<oriel-extension extension="com.acme.reports" path="/">`: an extension in a page, with its states.
 *
 * Configured once for the page by `configureOriel()`; elements that are there before wait for it. It shows that the
 * extension is loading, and what failed with a way to try again. `path` follows the app both ways; the element fires
 * `oriel-navigate` (detail: {path, replace}) where the app moved, `oriel-hotkey` (detail: {key}), `oriel-ready` and
 * `oriel-error` (detail: BridgeError). With the attribute `alga` the UI is one that speaks `alga`'s window messages.
 */
import { Card } from './card.js';
import { askInDialog, showToast } from './dialogs.js';
import { BridgeError } from './errors.js';
import { bootstrapIframe } from './frame.js';
import { isExtensionId } from './src.js';

/**
 * @typedef {object} Extension what a resolver knows of an installed extension
 * @property {string} contentHash
 * @property {string} entry
 * @property {string} [title]
 * @property {string} [version]
 *
 * @typedef {object} HostConfiguration
 * @property {string} uiOrigin
 * @property {import('./proxy.js').GetToken} getToken
 * @property {string} [apiOrigin] the page's own by default
 * @property {(extensionId: string) => Promise<Extension | null>} [resolve] by default from `GET /api/v1/menu`
 * @property {import('./frame.js').Theme} [theme]
 * @property {string} [locale]
 * @property {import('./frame.js').FrameOptions['onToast']} [onToast] a plain toast by default
 * @property {import('./frame.js').FrameOptions['onConfirm']} [onConfirm] a modal dialog by default
 * @property {string[]} [hotkeys] keys that are the product's also while a frame has the focus, `['Mod+k']`
 * @property {Partial<import('./proxy.js').ProxyLimits>} [limits]
 */

/** @type {(configuration: HostConfiguration) => void} */
let settle;
/** @type {Promise<HostConfiguration>} */
const configured = new Promise((resolve) => {
  settle = resolve;
});
/** @type {Set<OrielExtensionElement>} */
const shown = new Set();

/**
 * Tell the elements of this page where things are. Only the first call counts.
 *
 * @param {HostConfiguration} configuration
 */
export function configureOriel(configuration) {
  settle({ ...configuration });
}

/**
 * Change the theme of all extensions on the page.
 *
 * @param {import('./frame.js').Theme} theme
 */
export async function setTheme(theme) {
  (await configured).theme = theme;
  for (const element of shown) element.frame?.setTheme(theme);
}

/**
 * Change the language of all extensions on the page.
 *
 * @param {string} locale
 */
export async function setLocale(locale) {
  (await configured).locale = locale;
  for (const element of shown) element.frame?.setLocale(locale);
}

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
  static observedAttributes = ['extension', 'path'];

  constructor() {
    super();
    /** @type {import('./frame.js').ExtensionFrame | null} */
    this.frame = null;
    this._run = 0;
    this._card = new Card(this.attachShadow({ mode: 'open' }), () => this._start());
  }

  connectedCallback() {
    shown.add(this);
    this._start();
  }

  /**
   * Put the keyboard into the extension, at the beginning of the app.
   *
   * @override
   */
  focus() {
    this.frame?.focus();
  }

  disconnectedCallback() {
    shown.delete(this);
    this._stop();
  }

  /**
   * @param {string} name
   * @param {string | null} before
   * @param {string | null} now
   */
  attributeChangedCallback(name, before, now) {
    if (!this.isConnected || before === now) return;
    if (name === 'extension') this._start();
    else if (this.frame && this.frame.path !== now) this.frame.navigate(now ?? '/');
  }

  async _start() {
    this._stop();
    const run = (this._run += 1);
    this._card.loading();
    this.setAttribute('aria-busy', 'true');
    try {
      const configuration = await configured;
      const extensionId = this.getAttribute('extension');
      if (!isExtensionId(extensionId)) throw new BridgeError('invalid_extension', 'No extension is named.');
      const extension = await (configuration.resolve ?? resolveFromMenu(configuration))(extensionId);
      if (run !== this._run || !this.isConnected) return;
      if (!extension) throw new BridgeError('extension_not_installed', 'This extension is not installed.');
      this._show(configuration, extensionId, extension);
    } catch (error) {
      if (run === this._run) this._fail(asBridgeError(error));
    }
  }

  /**
   * @param {HostConfiguration} configuration
   * @param {string} extensionId
   * @param {Extension} extension
   */
  _show(configuration, extensionId, extension) {
    const frame = bootstrapIframe(this._card.freshIframe(), {
      onToast: showToast,
      onConfirm: (question) => askInDialog(question, extension.title ?? extensionId),
      ...configuration,
      ...extension,
      extensionId,
      path: this.getAttribute('path') ?? '/',
      alga: this.hasAttribute('alga'),
    });
    this.frame = frame;
    frame.addEventListener('ready', () => {
      this._card.ready();
      this.removeAttribute('aria-busy');
      this._fire('oriel-ready');
    });
    frame.addEventListener('error', (event) => this._fail(/** @type {CustomEvent} */ (event).detail));
    frame.addEventListener('hotkey', (event) => this._fire('oriel-hotkey', /** @type {CustomEvent} */ (event).detail));
    frame.addEventListener('navigate', (event) => {
      this.setAttribute('path', frame.path);
      this._fire('oriel-navigate', /** @type {CustomEvent} */ (event).detail);
    });
  }

  _stop() {
    this._run += 1;
    this.frame?.destroy();
    this.frame = null;
    this._card.clear();
  }

  /** @param {BridgeError} error */
  _fail(error) {
    this._card.failed(error);
    this.removeAttribute('aria-busy');
    this._fire('oriel-error', error);
  }

  /**
   * @param {string} type
   * @param {unknown} [detail]
   */
  _fire(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  }
}

/**
 * @param {HostConfiguration} configuration
 * @returns {(extensionId: string) => Promise<Extension | null>}
 */
function resolveFromMenu({ getToken, apiOrigin = location.origin }) {
  return async (extensionId) => {
    const headers = { authorization: `Bearer ${await getToken({ fresh: false })}` };
    const response = await fetch(new URL('/api/v1/menu', apiOrigin), { headers, credentials: 'omit' });
    if (!response.ok) throw new BridgeError('unavailable', 'The list of extensions cannot be read.');
    const { items } = await response.json();
    const item = items.find((/** @type {{extension_id: string}} */ candidate) => candidate.extension_id === extensionId);
    if (!item) return null;
    return { contentHash: item.content_hash, entry: item.entry, title: item.title, version: item.version };
  };
}

/** @param {unknown} error */
function asBridgeError(error) {
  if (error instanceof BridgeError) return error;
  console.error(error);
  return new BridgeError('unavailable', 'The extension cannot be shown at the moment.');
}

if (!customElements.get('oriel-extension')) customElements.define('oriel-extension', OrielExtensionElement);
