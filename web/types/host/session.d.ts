/** @typedef {{token: string, expiresAt: number}} SessionToken `expiresAt` in Unix milliseconds, by the platform's clock */
export class SessionTokens {
    /**
     * @param {object} options
     * @param {string} options.apiOrigin
     * @param {string} options.extensionId
     * @param {import('./proxy.js').GetToken} options.getToken
     */
    constructor({ apiOrigin, extensionId, getToken }: {
        apiOrigin: string;
        extensionId: string;
        getToken: import("./proxy.js").GetToken;
    });
    /**
     * A token that is good for 20 seconds at least.
     *
     * @param {{fresh?: boolean}} [wish] `fresh`: another one than the last, for example because that was refused
     * @returns {Promise<SessionToken>}
     * @throws {BridgeError} `rate_limited`, `unauthenticated`, `forbidden`, `unavailable`
     */
    get({ fresh }?: {
        fresh?: boolean;
    }): Promise<SessionToken>;
}
/**
 * `expiresAt` in Unix milliseconds, by the platform's clock
 */
export type SessionToken = {
    token: string;
    expiresAt: number;
};
import { TokenBucket } from './limits.js';
