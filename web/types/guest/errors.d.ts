/** What the bridge refused or lost. A handler's own error is a Response, as with `fetch`. */
export class OrielError extends Error {
    /**
     * @param {string} code stable: `invalid_path`, `rate_limited`, `deadline_exceeded`, `not_embedded`, …
     * @param {string} message
     */
    constructor(code: string, message: string);
    code: string;
}
