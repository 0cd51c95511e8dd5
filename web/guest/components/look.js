/**
 * What the components share: the theme's colours with defaults, and making elements.
 *
 * Text stays text: nothing here parses HTML.
 */

/** @param {string} css */
export function sheet(css) {
  const made = new CSSStyleSheet();
  made.replaceSync(css);
  return made;
}

export const LOOK = sheet(`
  :host {
    --_background: var(--oriel-color-background, Canvas);
    --_surface: var(--oriel-color-surface, Canvas);
    --_text: var(--oriel-color-text, CanvasText);
    --_muted: var(--oriel-color-muted, color-mix(in srgb, CanvasText 66%, Canvas));
    --_border: var(--oriel-color-border, color-mix(in srgb, CanvasText 16%, Canvas));
    --_edge: color-mix(in srgb, var(--_text) 52%, var(--_surface));
    --_accent: var(--oriel-color-accent, light-dark(#2457d6, #8fb0ff));
    --_on-accent: var(--oriel-color-on-accent, light-dark(#fff, #101623));
    --_danger: var(--oriel-color-danger, light-dark(#b3261e, #ff9d94));
    --_success: var(--oriel-color-success, light-dark(#18733e, #6fdc9c));
    --_warning: var(--oriel-color-warning, light-dark(#8a5a00, #f0c14b));
    --_radius: var(--oriel-radius, 0.6rem);
    --_inner-radius: calc(var(--_radius) * 0.75);
    box-sizing: border-box; min-width: 0;
    color: var(--_text);
    font-family: var(--oriel-font, inherit);
  }
  :host([hidden]) { display: none !important; }
  [hidden] { display: none !important; }
  *, *::before, *::after { box-sizing: border-box; }
  :focus-visible { outline: 2px solid var(--_accent); outline-offset: 2px; }
  .unseen { position: absolute; width: 1px; height: 1px; margin: 0; padding: 0; overflow: hidden; clip-path: inset(50%);
    white-space: nowrap; border: 0; }
`);

/**
 * An element with attributes and children; `false`, `null` and `undefined` leave an attribute or a child out.
 *
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Record<string, string | number | boolean | null | undefined>} [attributes]
 * @param {...(Node | string | number | null | undefined | false)} children
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function make(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  set(made, attributes);
  made.append(...kept(children));
  return made;
}

/**
 * The same in SVG.
 *
 * @param {string} name
 * @param {Record<string, string | number | boolean | null | undefined>} [attributes]
 * @param {...(Node | string | number | null | undefined | false)} children
 */
export function draw(name, attributes = {}, ...children) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  set(made, attributes);
  made.append(...kept(children));
  return made;
}

/** @param {Element} element @param {Record<string, unknown>} attributes */
function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
}

/** @param {unknown[]} children */
function kept(children) {
  return children
    .filter((child) => child !== null && child !== undefined && child !== false)
    .map((child) => (child instanceof Node ? child : String(child)));
}

/**
 * Define an element, unless another copy of the library has.
 *
 * @param {string} name
 * @param {CustomElementConstructor} element
 */
export function define(name, element) {
  if (!customElements.get(name)) customElements.define(name, element);
}
