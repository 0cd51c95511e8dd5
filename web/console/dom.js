/** Making elements. Text stays text: nothing here parses HTML, and what a stranger wrote is never markup. */

/** @typedef {Node | string | number | null | undefined | false} Child */

/**
 * An element.
 *
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Record<string, unknown>} [given] `on*` are listeners; `data`, `rows`, `columns` and `value` are properties;
 *   everything else is an attribute, which false, null and undefined leave out
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function h(name, given = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(given)) put(element, key, value);
  element.append(...kept(children));
  return element;
}

const PROPERTIES = new Set(['data', 'rows', 'columns', 'value']);

/** @param {HTMLElement} element @param {string} key @param {unknown} value */
function put(element, key, value) {
  if (key.startsWith('on')) element.addEventListener(key.slice(2), /** @type {EventListener} */ (value));
  else if (PROPERTIES.has(key)) /** @type {any} */ (element)[key] = value;
  else if (value === true) element.setAttribute(key, '');
  else if (value !== false && value !== null && value !== undefined) element.setAttribute(key, String(value));
}

/** @param {Child[]} children */
function kept(children) {
  return children
    .filter((child) => child !== null && child !== undefined && child !== false)
    .map((child) => (child instanceof Node ? child : String(child)));
}
