/**
 * Signing in at the operator's identity provider: OAuth 2.0 authorization code with PKCE (RFC 7636), as OpenID Connect
 * discovers it. The console is a public client: it has an id and no secret.
 */

const PENDING = 'oriel-console-oidc';

/** @typedef {{issuer: string, client_id: string, audience: string, scope: string}} Provider */
/** @typedef {{authorization_endpoint: string, token_endpoint: string}} Endpoints */

/** Go to the provider; the page comes back with a code. @param {Provider} provider */
export async function begin(provider) {
  const { authorization_endpoint: address } = await discover(provider);
  const [verifier, state] = [random(), random()];
  sessionStorage.setItem(PENDING, JSON.stringify({ verifier, state, place: location.pathname + location.search }));
  const url = new URL(address);
  const query = {
    response_type: 'code', client_id: provider.client_id, redirect_uri: redirectUri(), scope: provider.scope,
    audience: provider.audience, state, code_challenge_method: 'S256', code_challenge: await challenge(verifier),
  }; // prettier-ignore
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  location.assign(url);
}

/** Whether this page load is the provider's answer. */
export function isReturning() {
  const query = new URLSearchParams(location.search);
  return query.has('state') && (query.has('code') || query.has('error'));
}

/**
 * The token for the code in the address, which is then the place that was asked for before.
 *
 * @param {Provider} provider
 */
export async function finish(provider) {
  const query = new URLSearchParams(location.search);
  const pending = JSON.parse(sessionStorage.getItem(PENDING) ?? 'null');
  sessionStorage.removeItem(PENDING);
  history.replaceState(null, '', pending?.place ?? '/console/');
  if (!pending || query.get('state') !== pending.state) throw new Error('This sign-in was not begun here. Sign in again.');
  if (query.has('error')) throw new Error(query.get('error_description') ?? `The provider said ${query.get('error')}.`);
  const code = /** @type {string} */ (query.get('code'));
  return exchange(provider, {
    grant_type: 'authorization_code', code, redirect_uri: redirectUri(), code_verifier: pending.verifier,
  }); // prettier-ignore
}

/** @param {Provider} provider @param {string} renewal the refresh token */
export function renew(provider, renewal) {
  return exchange(provider, { grant_type: 'refresh_token', refresh_token: renewal });
}

/** @param {Provider} provider @param {Record<string, string>} form @returns {Promise<import('./session.js').Held>} */
async function exchange(provider, form) {
  const { token_endpoint: address } = await discover(provider);
  const body = new URLSearchParams({ ...form, client_id: provider.client_id });
  const answer = await fetch(address, { method: 'POST', body, credentials: 'omit' });
  const found = await answer.json();
  if (!answer.ok) throw new Error(found.error_description ?? 'The identity provider gave no token.');
  const until = Date.now() + (found.expires_in ?? 300) * 1000;
  return { token: found.access_token, until, renewal: found.refresh_token };
}

/** @param {Provider} provider @returns {Promise<Endpoints>} */
async function discover({ issuer }) {
  const answer = await fetch(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, { credentials: 'omit' });
  if (!answer.ok) throw new Error('The identity provider does not answer.');
  return answer.json();
}

function redirectUri() {
  return `${location.origin}/console/`;
}

function random() {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

/** @param {string} verifier */
async function challenge(verifier) {
  return base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))));
}

/** @param {Uint8Array} bytes */
function base64url(bytes) {
  return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
