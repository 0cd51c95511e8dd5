/**
 * Requests to the hosts that the tenant consented to. Needs `http.fetch`, with its `hosts`.
 *
 * A secret is best not read: `headers: {authorization: `Bearer ${secrets.reference('API_TOKEN')}`}`.
 */
import * as wit from 'oriel:extension/http@1.0.0';
import { toBody, toBytes, toText } from './bodies.js';
import { FetchFailed, call } from './errors.js';
import { Headers, fromLines, toLines } from './messages.js';

/** What another server answered. */
export class Answer {
  /** @param {{status: number, headers: import('./messages.js').Line[], body: import('./bodies.js').Body, url: string}} wit */
  constructor({ status, headers, body, url }) {
    this.status = status;
    this.ok = status >= 200 && status < 300;
    this.headers = new Headers(fromLines(headers));
    /** Where the answer came from, after redirects. */
    this.url = url;
    /** @private */
    this._body = body;
  }

  bytes() {
    return toBytes(this._body);
  }

  /** The body as text; null where it is not UTF-8. */
  text() {
    return toText(this._body);
  }

  /** @returns {any} */
  json() {
    return JSON.parse(this.text() ?? '');
  }

  /** Itself where `ok`; throws `FetchFailed` otherwise. */
  raiseForStatus() {
    if (!this.ok) throw new FetchFailed('protocol', `${this.url} answered ${this.status}.`);
    return this;
  }
}

/**
 * Send one request and wait for the whole answer. Throws `Denied`, `Invalid`, `LimitExceeded`, `FetchFailed`.
 * @param {string} url `https://host/…`; the host must be one that was granted
 * @param {object} [options]
 * @param {string} [options.method]
 * @param {import('./messages.js').Pairs} [options.headers]
 * @param {string | Uint8Array | null} [options.body]
 * @param {unknown} [options.json] a value to send as JSON, instead of `body`
 * @param {number} [options.timeoutMs] never longer than what is left of the execution
 * @param {number} [options.redirects] how many to follow; 0 gives the redirect itself back
 * @param {number} [options.maxBytes] the largest answer to take
 */
export function fetch(url, { method = 'GET', headers = [], body = null, json, timeoutMs, redirects = 0, maxBytes } = {}) {
  const lines = new Headers(headers);
  if (json !== undefined && !lines.has('content-type')) lines.append('content-type', 'application/json');
  const content = json === undefined ? body : JSON.stringify(json);
  const request = { method: method.toUpperCase(), url, headers: toLines(lines), body: toBody(content) };
  return new Answer(call(() => wit.fetch(request, { timeoutMs, redirects, maxBodyBytes: maxBytes })));
}
