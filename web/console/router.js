/** Places of the console: `/console/…` paths, each with a page. Back, reload and a link from elsewhere all work. */

export const ROOT = '/console';

/** @typedef {Record<string, string>} Params */
/** @typedef {(params: Params, signal: AbortSignal) => Promise<Node>} Page the signal ends when another page is shown */
/** @typedef {{pattern: RegExp, names: string[], page: Page}} Route */

/** @param {string} path such as `/extensions/:id` @param {Page} page @returns {Route} */
export function route(path, page) {
  const names = [...path.matchAll(/:(\w+)/g)].map(([, name]) => name);
  return { pattern: new RegExp(`^${path.replace(/:\w+/g, '([^/]+)')}/?$`), names, page };
}

/**
 * The page for an address, and what its path says.
 *
 * @param {Route[]} routes
 * @param {string} pathname
 */
export function match(routes, pathname) {
  const path = pathname.slice(ROOT.length) || '/';
  for (const { pattern, names, page } of routes) {
    const found = pattern.exec(path);
    if (found) return { page, params: Object.fromEntries(names.map((name, index) => [name, decoded(found[index + 1])])) };
  }
  return null;
}

/** Go to a place of the console. @param {string} path below its root @param {{replace?: boolean}} [how] */
export function go(path, { replace = false } = {}) {
  if (replace) history.replaceState(null, '', ROOT + path);
  else history.pushState(null, '', ROOT + path);
  dispatchEvent(new PopStateEvent('popstate'));
}

/** Follow links to the console's own places without loading the page anew. @param {MouseEvent} event */
export function followLink(event) {
  const link = event.target instanceof Element ? event.target.closest('a') : null;
  const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (!link || !isPlain || event.defaultPrevented || link.target || link.origin !== location.origin) return;
  if (link.hash && link.pathname === location.pathname) return;
  if (link.pathname !== ROOT && !link.pathname.startsWith(`${ROOT}/`)) return;
  event.preventDefault();
  go(link.pathname.slice(ROOT.length) + link.search);
}

/** @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
