/**
 * Who works with the console, and the token that says so.
 *
 * A token comes, in this order: from the address (`#token=…`, what `oriel console` opens), from the host product that
 * the platform is part of (`token_url`), or from the operator's identity provider (`./oidc.js`). It is kept for this
 * tab alone. What it says is shown and never decided on: the platform decides, and `GET /api/v1/me` tells.
 */
import { begin, finish, isReturning, renew } from './oidc.js';

const KEPT = 'oriel-console';
const RENEW_BEFORE_MS = 20_000;

/** @typedef {{token: string, until: number, renewal?: string}} Held */
/** @typedef {{token_url: string | null, oidc: import('./oidc.js').Provider | null}} Configuration */

/** @type {Held | null} */
let held = null;
/** @type {Configuration} */
let configuration = { token_url: null, oidc: null };
let onSignedOut = () => {};

/**
 * Whether there is somebody.
 *
 * @param {() => void} whenSignedOut called when the platform no longer believes the token
 */
export async function openSession(whenSignedOut) {
  onSignedOut = whenSignedOut;
  configuration = await (await fetch('/console/config.json', { cache: 'no-store' })).json();
  held = fromAddress();
  if (configuration.oidc && isReturning()) keep(await finish(configuration.oidc));
  if (isFresh() || (configuration.token_url && (await renewed()))) return true;
  held = kept();
  return isFresh() || renewed();
}

/** @returns {Promise<string>} */
export async function getToken() {
  if (!isFresh() && !(await renewed())) {
    signedOut();
    throw new Error('signed out');
  }
  return /** @type {Held} */ (held).token;
}

/** The ways in that there are, beside a token that somebody has. */
export function canRedirect() {
  return configuration.oidc !== null;
}

export async function redirect() {
  if (configuration.oidc) await begin(configuration.oidc);
}

/** Take a token by hand. @param {string} token */
export function useToken(token) {
  keep({ token, until: expiry(token) });
}

export function signedOut() {
  held = null;
  sessionStorage.removeItem(KEPT);
  onSignedOut();
}

function isFresh() {
  return held !== null && held.until - RENEW_BEFORE_MS > Date.now();
}

async function renewed() {
  if (configuration.oidc && held?.renewal) {
    const fresh = await renew(configuration.oidc, held.renewal).catch(() => null);
    if (fresh) keep(fresh);
  } else if (configuration.token_url) {
    const fresh = await fromProduct(configuration.token_url);
    if (fresh) keep(fresh);
  }
  return isFresh();
}

/** @param {string} url of the host product, on this origin @returns {Promise<Held | null>} */
async function fromProduct(url) {
  const headers = { 'content-type': 'application/json', 'x-oriel-console': '1' };
  const answer = await fetch(url, { method: 'POST', headers, body: '{}', credentials: 'same-origin' });
  if (!answer.ok) return null;
  const { token, expires_in: seconds } = await answer.json();
  return { token, until: Date.now() + seconds * 1000 };
}

/** @returns {Held | null} */
function fromAddress() {
  const found = /^#token=([\w.-]+)$/.exec(location.hash);
  if (!found) return null;
  history.replaceState(history.state, '', location.pathname + location.search);
  useToken(found[1]);
  return held;
}

/** @returns {Held | null} */
function kept() {
  return JSON.parse(sessionStorage.getItem(KEPT) ?? 'null');
}

/** @param {Held} fresh */
function keep(fresh) {
  held = fresh;
  sessionStorage.setItem(KEPT, JSON.stringify(fresh));
}

/** Until when a token says that it holds; one that does not say (an API key) until it is refused. @param {string} token */
function expiry(token) {
  try {
    const [, payload] = token.split('.');
    const { exp } = JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/')));
    return typeof exp === 'number' ? exp * 1000 : Number.MAX_SAFE_INTEGER;
  } catch {
    return Number.MAX_SAFE_INTEGER;
  }
}
