/**
 * Bounds on what a frame may ask for: how often, and how much at once.
 */
import { BridgeError } from './errors.js';

/** A token bucket: `burst` at once, `perSecond` in the long run. */
export class TokenBucket {
  /**
   * @param {number} perSecond
   * @param {number} burst
   * @param {() => number} [now] a monotonic clock in milliseconds
   */
  constructor(perSecond, burst, now = () => performance.now()) {
    this._perSecond = perSecond;
    this._burst = burst;
    this._now = now;
    this._tokens = burst;
    this._at = now();
  }

  /** Take one token; false where there is none. */
  take() {
    const now = this._now();
    this._tokens = Math.min(this._burst, this._tokens + ((now - this._at) / 1000) * this._perSecond);
    this._at = now;
    if (this._tokens < 1) return false;
    this._tokens -= 1;
    return true;
  }
}

/** At most `width` at once; up to `depth` more wait in order, and the rest is refused. */
export class Gate {
  /**
   * @param {number} width
   * @param {number} depth
   */
  constructor(width, depth) {
    this._free = width;
    this._depth = depth;
    /** @type {Array<() => void>} */
    this._waiting = [];
  }

  /**
   * Wait for a place. Every successful `enter` is followed by one `leave`.
   *
   * @param {AbortSignal} signal gives the place in the queue up
   * @returns {Promise<void>}
   * @throws {BridgeError} `overloaded`; and the signal's reason
   */
  async enter(signal) {
    if (this._free > 0) {
      this._free -= 1;
      return;
    }
    if (this._waiting.length >= this._depth) {
      throw new BridgeError('overloaded', 'The extension has too many requests open.');
    }
    await new Promise((resolve, reject) => {
      const admit = () => {
        signal.removeEventListener('abort', giveUp);
        resolve(undefined);
      };
      const giveUp = () => {
        this._waiting = this._waiting.filter((waiting) => waiting !== admit);
        reject(signal.reason);
      };
      this._waiting.push(admit);
      signal.addEventListener('abort', giveUp, { once: true });
    });
  }

  leave() {
    const next = this._waiting.shift();
    if (next) next();
    else this._free += 1;
  }
}
