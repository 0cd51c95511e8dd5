/**
 * What the bridge refuses, with the stable codes of the platform's error catalogue where one fits.
 */
export class BridgeError extends Error {
    /**
     * @param {string} code stable, for programs: `invalid_path`, `rate_limited`, `handshake_timeout`, …
     * @param {string} message one sentence for a developer
     */
    constructor(code: string, message: string);
    code: string;
}
