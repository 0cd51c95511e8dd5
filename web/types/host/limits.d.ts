/** A token bucket: `burst` at once, `perSecond` in the long run. */
export class TokenBucket {
    /**
     * @param {number} perSecond
     * @param {number} burst
     * @param {() => number} [now] a monotonic clock in milliseconds
     */
    constructor(perSecond: number, burst: number, now?: () => number);
    /** Take one token; false where there is none. */
    take(): boolean;
}
/** At most `width` at once; up to `depth` more wait in order, and the rest is refused. */
export class Gate {
    /**
     * @param {number} width
     * @param {number} depth
     */
    constructor(width: number, depth: number);
    /**
     * Wait for a place. Every successful `enter` is followed by one `leave`.
     *
     * @param {AbortSignal} signal gives the place in the queue up
     * @returns {Promise<void>}
     * @throws {BridgeError} `overloaded`; and the signal's reason
     */
    enter(signal: AbortSignal): Promise<void>;
    leave(): void;
}
