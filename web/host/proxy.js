/**
 * An extension's calls to its own handler, made by the host on its behalf.
 *
 * Rules kept here:
 * - A call reaches `/api/ext/<this extension>/…` at the API's origin and nothing else, whatever the path says.
 * - Methods and headers, both ways, pass by an allowlist. The user's token is put on here; the frame never sees it.
 * - No cookies, no redirects. Bodies, rate, number and time are bounded; an abort in the frame aborts the fetch.
 */
import { BridgeError } from './errors.js';
import { Gate, TokenBucket } from './limits.js';
import { cleanPath } from './paths.js';

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']);
const BODILESS = new Set(['GET', 'HEAD']);
const REQUEST_HEADERS = new Set([
  'accept', 'accept-language', 'content-type', 'idempotency-key', 'if-match', 'if-modified-since', 'if-none-match',
  'if-unmodified-since', 'prefer',
]); // prettier-ignore
const RESPONSE_HEADERS = new Set([
  'cache-control', 'content-disposition', 'content-language', 'content-type', 'etag', 'last-modified', 'retry-after',
  'x-request-id',
]); // prettier-ignore
const OWN_HEADERS = /^x-ext-[a-z0-9-]{1,64}$/;

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
export const DEFAULT_LIMITS = {
  requestBytes: 6_000_000,
  responseBytes: 6_000_000,
  timeoutMs: 35_000,
  perSecond: 20,
  burst: 60,
  concurrent: 6,
  queued: 64,
};

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
  constructor({ apiOrigin, extensionId, getToken, limits = {} }) {
    this._root = new URL(`/api/ext/${extensionId}/`, apiOrigin);
    this._getToken = getToken;
    this._limits = { ...DEFAULT_LIMITS, ...limits };
    this._bucket = new TokenBucket(this._limits.perSecond, this._limits.burst);
    this._gate = new Gate(this._limits.concurrent, this._limits.queued);
  }

  /**
   * One call.
   *
   * @param {import('./messages.js').RequestMessage} call
   * @param {AbortSignal} signal
   * @returns {Promise<ProxyAnswer>}
   * @throws {BridgeError} `invalid_path`, `method_not_allowed`, `malformed_request`, `body_too_large`, `rate_limited`,
   *   `overloaded`, `aborted`, `deadline_exceeded`, `output_too_large`, `unauthenticated`, `unavailable`
   */
  async call(call, signal) {
    const url = this.resolve(call.path);
    const init = this._init(call);
    if (!this._bucket.take()) throw new BridgeError('rate_limited', 'The extension calls too often.');
    const ending = AbortSignal.any([signal, AbortSignal.timeout(this._limits.timeoutMs)]);
    try {
      await this._gate.enter(ending);
      try {
        return await this._answer(await this._fetch(url, init, ending));
      } finally {
        this._gate.leave();
      }
    } catch (error) {
      throw explain(error, signal, ending);
    }
  }

  /**
   * The URL of a call.
   *
   * @param {string} path
   * @throws {BridgeError} `invalid_path`
   */
  resolve(path) {
    const { pathname, query } = cleanPath(path);
    const url = new URL(this._root.href + pathname.slice(1) + query);
    const isInside = url.origin === this._root.origin && url.pathname.startsWith(this._root.pathname);
    if (!isInside) throw new BridgeError('invalid_path', "The path leaves the extension's own routes.");
    return url;
  }

  /** @param {import('./messages.js').RequestMessage} call */
  _init({ method, headers, body }) {
    if (!METHODS.has(method)) throw new BridgeError('method_not_allowed', `The bridge does not pass ${method}.`);
    if (body && body.byteLength > this._limits.requestBytes) {
      throw new BridgeError('body_too_large', `The body is larger than ${this._limits.requestBytes} bytes.`);
    }
    const passed = headers.filter(([name]) => isPassed(name, REQUEST_HEADERS));
    return { method, headers: headersFrom(passed), body: BODILESS.has(method) ? null : body };
  }

  /**
   * @param {URL} url
   * @param {{method: string, headers: Headers, body: ArrayBuffer | null}} init
   * @param {AbortSignal} signal
   */
  async _fetch(url, init, signal) {
    const response = await this._send(url, init, signal, false);
    return response.status === 401 ? this._send(url, init, signal, true) : response;
  }

  /**
   * @param {URL} url
   * @param {{method: string, headers: Headers, body: ArrayBuffer | null}} init
   * @param {AbortSignal} signal
   * @param {boolean} fresh
   */
  async _send(url, init, signal, fresh) {
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${await this._getToken({ fresh })}`);
    signal.throwIfAborted();
    return fetch(url, {
      ...init,
      headers,
      signal,
      credentials: 'omit',
      redirect: 'error',
      cache: 'no-store',
      referrerPolicy: 'no-referrer',
    });
  }

  /** @param {Response} response @returns {Promise<ProxyAnswer>} */
  async _answer(response) {
    const { status, statusText } = response;
    const headers = [...response.headers].filter(([name]) => isPassed(name, RESPONSE_HEADERS));
    return { status, statusText, headers, body: await this._read(response) };
  }

  /** @param {Response} response */
  async _read(response) {
    const limit = this._limits.responseBytes;
    const chunks = [];
    let size = 0;
    const reader = response.body?.getReader();
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
      chunks.push(part.value);
      size += part.value.byteLength;
      if (size > limit) {
        await reader?.cancel();
        throw new BridgeError('output_too_large', `The answer is larger than ${limit} bytes.`);
      }
    }
    return joined(chunks, size);
  }
}

/**
 * Not by a Blob: its bytes go through the browser's own process and back.
 *
 * @param {Uint8Array[]} chunks
 * @param {number} size of all together
 */
function joined(chunks, size) {
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole.buffer;
}

/** @param {[string, string][]} pairs */
function headersFrom(pairs) {
  try {
    return new Headers(pairs);
  } catch {
    throw new BridgeError('malformed_request', 'A header has a value that HTTP does not allow.');
  }
}

/** @param {string} name @param {ReadonlySet<string>} allowed */
function isPassed(name, allowed) {
  const lower = name.toLowerCase();
  return allowed.has(lower) || OWN_HEADERS.test(lower);
}

/**
 * @param {unknown} error
 * @param {AbortSignal} asked the frame's own
 * @param {AbortSignal} ending that, or the deadline
 * @returns {BridgeError}
 */
function explain(error, asked, ending) {
  if (error instanceof BridgeError) return error;
  if (asked.aborted) return new BridgeError('aborted', 'The call was aborted.');
  if (ending.aborted) return new BridgeError('deadline_exceeded', 'The call took too long.');
  return new BridgeError('unavailable', 'The call could not be made.');
}
