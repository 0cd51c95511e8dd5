/**
 * Make an element. Text stays text.
 *
 * @param {string} name
 * @param {Record<string, unknown>} [properties] `on*` are listeners, the others attributes; false and null are left out
 * @param {...(Node | string | null)} children
 */
export function h(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.startsWith('on')) element.addEventListener(key.slice(2), /** @type {EventListener} */ (value));
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(key, String(value));
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}
