/**
 * Session tokens of one extension: what its UI may hand to its own backend to say who is there.
 *
 * Minted by the platform (`POST /api/ext-session`) with the user's token, which stays on this side. One is kept for
 * most of its minute, so that a page that asks often costs the platform little.
 */
import { BridgeError } from './errors.js';
import { TokenBucket } from './limits.js';

const HOLD_MS = 40_000;
const TIMEOUT_MS = 15_000;
const FRESH_PER_SECOND = 0.2;
const FRESH_BURST = 3;

/** @typedef {{token: string, expiresAt: number}} SessionToken `expiresAt` in Unix milliseconds, by the platform's clock */

export class SessionTokens {
  /**
   * @param {object} options
   * @param {string} options.apiOrigin
   * @param {string} options.extensionId
   * @param {import('./proxy.js').GetToken} options.getToken
   */
  constructor({ apiOrigin, extensionId, getToken }) {
    this._url = new URL('/api/ext-session', apiOrigin);
    this._extensionId = extensionId;
    this._getToken = getToken;
    this._bucket = new TokenBucket(FRESH_PER_SECOND, FRESH_BURST);
    /** @type {Promise<SessionToken> | null} */
    this._held = null;
    this._until = 0;
  }

  /**
   * A token that is good for 20 seconds at least.
   *
   * @param {{fresh?: boolean}} [wish] `fresh`: another one than the last, for example because that was refused
   * @returns {Promise<SessionToken>}
   * @throws {BridgeError} `rate_limited`, `unauthenticated`, `forbidden`, `unavailable`
   */
  get({ fresh = false } = {}) {
    if (this._held && !fresh && performance.now() < this._until) return this._held;
    if (!this._bucket.take()) {
      return Promise.reject(new BridgeError('rate_limited', 'The extension asks for session tokens too often.'));
    }
    const minting = this._mint();
    this._held = minting;
    this._until = performance.now() + HOLD_MS;
    minting.catch(() => {
      if (this._held === minting) this._held = null;
    });
    return minting;
  }

  async _mint() {
    let response = await this._ask(false);
    if (response.status === 401) response = await this._ask(true);
    if (!response.ok) throw refusal(response.status);
    const { token, expires_at: expiresAt } = await response.json();
    return { token, expiresAt };
  }

  /** @param {boolean} fresh */
  async _ask(fresh) {
    const token = await this._getToken({ fresh });
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const body = JSON.stringify({ extension_id: this._extensionId });
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    try {
      return await fetch(this._url, { method: 'POST', headers, body, signal, credentials: 'omit', redirect: 'error' });
    } catch {
      throw refusal(503);
    }
  }
}

/** @param {number} status */
function refusal(status) {
  if (status === 401) return new BridgeError('unauthenticated', 'The user is not signed in any more.');
  if (status === 403 || status === 404) return new BridgeError('forbidden', 'The platform gives no token for this.');
  return new BridgeError('unavailable', 'The platform gave no session token.');
}
