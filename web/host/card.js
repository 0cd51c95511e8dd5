/**
 * What `<oriel-extension>` shows: the frame, a quiet placeholder while it loads, and a card where it failed.
 *
 * Colours come from the product's `--oriel-*` properties; the defaults fit a plain page, light or dark.
 */

const STYLES = new CSSStyleSheet();
STYLES.replaceSync(`
  :host { display: block; position: relative; min-height: 8rem; }
  :host([hidden]) { display: none; }
  iframe { display: block; width: 100%; height: 12rem; border: 0; opacity: 0; visibility: hidden; }
  iframe[data-ready] { opacity: 1; visibility: visible; }
  @media (prefers-reduced-motion: no-preference) { iframe { transition: opacity 120ms ease-out; } }
  .state { position: absolute; inset: 0 0 auto; font: inherit; color: var(--oriel-color-text, CanvasText); }
  .bars { display: grid; gap: 0.75rem; padding: 0.25rem 0; }
  .bars i { height: 0.9rem; border-radius: 0.3rem; background: currentColor; opacity: 0.08; }
  .bars i:first-child { width: 38%; height: 1.4rem; }
  .bars i:last-child { width: 64%; }
  .card { border: 1px solid var(--oriel-color-border, color-mix(in srgb, CanvasText 18%, transparent));
    border-radius: var(--oriel-radius, 0.6rem); padding: 1.25rem 1.4rem;
    background: var(--oriel-color-surface, Canvas); }
  .card h2 { margin: 0 0 0.35rem; font-size: 1.05rem; }
  .card p { margin: 0 0 1rem; color: var(--oriel-color-muted, color-mix(in srgb, CanvasText 70%, transparent)); }
  .card code { font-size: 0.85em; }
  .card button { font: inherit; padding: 0.45rem 0.9rem; border-radius: 0.45rem; cursor: pointer;
    border: 1px solid var(--oriel-color-border, color-mix(in srgb, CanvasText 25%, transparent));
    background: transparent; color: inherit; }
  .card button:focus-visible { outline: 2px solid var(--oriel-color-accent, Highlight); outline-offset: 2px; }
  .visually-hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
`);

export class Card {
  /**
   * @param {ShadowRoot} root
   * @param {() => void} retry
   */
  constructor(root, retry) {
    root.adoptedStyleSheets = [STYLES];
    this._root = root;
    this._retry = retry;
    this._state = element('div', { class: 'state', 'aria-live': 'polite' });
    root.append(this._state);
    /** @type {HTMLIFrameElement | null} */
    this._iframe = null;
  }

  /** An iframe in the document that nothing was loaded into yet. */
  freshIframe() {
    this._iframe?.remove();
    const iframe = document.createElement('iframe');
    this._iframe = iframe;
    this._root.append(iframe);
    return iframe;
  }

  loading() {
    const bars = element('div', { class: 'bars', 'aria-hidden': 'true' }, [element('i'), element('i'), element('i')]);
    this._state.replaceChildren(element('span', { class: 'visually-hidden' }, ['Loading the extension']), bars);
  }

  ready() {
    this._state.replaceChildren();
    this._iframe?.setAttribute('data-ready', '');
  }

  /** @param {import('./errors.js').BridgeError} error */
  failed(error) {
    this._iframe?.removeAttribute('data-ready');
    const button = element('button', { type: 'button' }, ['Try again']);
    button.addEventListener('click', () => this._retry());
    const card = element('div', { class: 'card', role: 'group' }, [
      element('h2', {}, ['This extension cannot be shown']),
      element('p', {}, [error.message, ' ', element('code', {}, [error.code])]),
      button,
    ]);
    this._state.replaceChildren(card);
  }

  clear() {
    this._iframe?.remove();
    this._iframe = null;
    this._state.replaceChildren();
  }
}

/**
 * @param {string} name
 * @param {Record<string, string>} [attributes]
 * @param {(Node | string)[]} [children]
 */
function element(name, attributes = {}, children = []) {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  made.append(...children);
  return made;
}
