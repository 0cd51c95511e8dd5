/**
 * @typedef {object} ProxyLimits
 * @property {number} requestBytes largest body of a call
 * @property {number} responseBytes largest body of an answer
 * @property {number} timeoutMs for one call, from asking to the last byte
 * @property {number} perSecond calls in the long run
 * @property {number} burst calls at once
 * @property {number} concurrent calls open at the same time
 * @property {number} queued calls that wait for one of those to end
 */
/** @type {ProxyLimits} */
export const DEFAULT_LIMITS: ProxyLimits;
/** @typedef {(wish: {fresh: boolean}) => string | Promise<string>} GetToken */
/**
 * @typedef {object} ProxyAnswer
 * @property {number} status
 * @property {string} statusText
 * @property {[string, string][]} headers
 * @property {ArrayBuffer} body
 */
export class ApiProxy {
    /**
     * @param {object} options
     * @param {string} options.apiOrigin where `/api/ext/` is
     * @param {string} options.extensionId
     * @param {GetToken} options.getToken `fresh` asks for another token than the last
     * @param {Partial<ProxyLimits>} [options.limits]
     */
    constructor({ apiOrigin, extensionId, getToken, limits }: {
        apiOrigin: string;
        extensionId: string;
        getToken: GetToken;
        limits?: Partial<ProxyLimits> | undefined;
    });
    /**
     * One call.
     *
     * @param {import('./messages.js').RequestMessage} call
     * @param {AbortSignal} signal
     * @returns {Promise<ProxyAnswer>}
     * @throws {BridgeError} `invalid_path`, `method_not_allowed`, `malformed_request`, `body_too_large`, `rate_limited`,
     *   `overloaded`, `aborted`, `deadline_exceeded`, `output_too_large`, `unauthenticated`, `unavailable`
     */
    call(call: import("./messages.js").RequestMessage, signal: AbortSignal): Promise<ProxyAnswer>;
    /**
     * The URL of a call.
     *
     * @param {string} path
     * @throws {BridgeError} `invalid_path`
     */
    resolve(path: string): URL;
}
export type ProxyLimits = {
    /**
     * largest body of a call
     */
    requestBytes: number;
    /**
     * largest body of an answer
     */
    responseBytes: number;
    /**
     * for one call, from asking to the last byte
     */
    timeoutMs: number;
    /**
     * calls in the long run
     */
    perSecond: number;
    /**
     * calls at once
     */
    burst: number;
    /**
     * calls open at the same time
     */
    concurrent: number;
    /**
     * calls that wait for one of those to end
     */
    queued: number;
};
export type GetToken = (wish: {
    fresh: boolean;
}) => string | Promise<string>;
export type ProxyAnswer = {
    status: number;
    statusText: string;
    headers: [string, string][];
    body: ArrayBuffer;
};
import { TokenBucket } from './limits.js';
import { Gate } from './limits.js';
