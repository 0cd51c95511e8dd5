/** Who is signed in, and the short tokens with which this page calls the extension platform. */

const RENEW_BEFORE_MS = 30_000;

/** @type {{token: string, until: number} | null} */
let held = null;

export async function readSession() {
  return (await fetch('/session')).json();
}

/** @param {string} user */
export function signIn(user) {
  return send('/session', { method: 'POST', body: JSON.stringify({ user }) });
}

export function signOut() {
  return send('/session', { method: 'DELETE' });
}

/** @param {{fresh?: boolean}} [wish] @returns {Promise<string>} */
export async function getToken({ fresh = false } = {}) {
  if (fresh || !held || performance.now() > held.until) {
    const { token, expires_in: seconds } = await (await send('/session/token', { method: 'POST' })).json();
    held = { token, until: performance.now() + seconds * 1000 - RENEW_BEFORE_MS };
  }
  return held.token;
}

/** @param {string} path an API path of the platform */
export async function callPlatform(path) {
  const response = await fetch(path, { headers: { authorization: `Bearer ${await getToken()}` } });
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response.json();
}

/** @param {string} path @param {RequestInit} init */
async function send(path, init) {
  const headers = { 'content-type': 'application/json', 'x-halden-request': '1' };
  const response = await fetch(path, { ...init, headers });
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response;
}
