/** Requests and responses: plain values, without the host. */
import { toBody, toBytes, toText } from './bodies.js';
import { Problem } from './errors.js';

/** @typedef {import('./bodies.js').Body} Body */
/** @typedef {{name: string, value: string}} Line */
/** @typedef {Record<string, string> | Iterable<[string, string]>} Pairs */

/** Header lines: names in lower case, repeats and order kept. */
export class Headers {
  /** @type {[string, string][]} */
  #lines;

  /** @param {Pairs} [pairs] */
  constructor(pairs = []) {
    const entries = Symbol.iterator in pairs ? [...pairs] : Object.entries(pairs);
    this.#lines = entries.map(([name, value]) => [name.toLowerCase(), String(value)]);
  }

  /**
   * The first value of a header; null where there is none.
   * @param {string} name
   */
  get(name) {
    return this.getAll(name)[0] ?? null;
  }

  /**
   * Every value of a header, in order.
   * @param {string} name
   */
  getAll(name) {
    return this.#lines.filter(([other]) => other === name.toLowerCase()).map(([, value]) => value);
  }

  /** @param {string} name */
  has(name) {
    return this.getAll(name).length > 0;
  }

  /**
   * One more line.
   * @param {string} name
   * @param {string} value
   */
  append(name, value) {
    this.#lines.push([name.toLowerCase(), String(value)]);
  }

  [Symbol.iterator]() {
    return this.#lines[Symbol.iterator]();
  }
}

/** One request to the extension. */
export class Request {
  /**
   * @param {{method: string, path: string, query?: string, route?: string, params?: Record<string, string>,
   *   headers?: Pairs, body?: Body}} of
   */
  constructor({ method, path, query = '', route = '', params = {}, headers = [], body = { tag: 'empty' } }) {
    /** Upper case. */
    this.method = method;
    /** Below `/api/ext/<extension>`, percent-encoded as it was sent. */
    this.path = path;
    /** The query, decoded. */
    this.args = new URLSearchParams(query);
    /** The endpoint as manifest.json declares it, `/notes/:id`. */
    this.route = route;
    /** The values of its `:name` segments, decoded. */
    this.params = params;
    /** Those that the gateway lets through; never `authorization` or `cookie`. */
    this.headers = new Headers(headers);
    /** @private */
    this._body = body;
  }

  /** The body. */
  bytes() {
    return toBytes(this._body);
  }

  /** The body as text. `Problem` 400 where it is not UTF-8. */
  text() {
    const text = toText(this._body);
    if (text === null) throw new Problem(400, 'The body is not UTF-8 text.', 'malformed_body');
    return text;
  }

  /**
   * The body as JSON. `Problem` 400 where it is not JSON.
   * @returns {any}
   */
  json() {
    try {
      return JSON.parse(this.text());
    } catch (error) {
      if (error instanceof Problem) throw error;
      throw new Problem(400, `The body is not JSON: ${/** @type {Error} */ (error).message}.`, 'malformed_body');
    }
  }
}

/** One answer. */
export class Response {
  /**
   * @param {string | Uint8Array | null} [body]
   * @param {{status?: number, headers?: Pairs}} [init] `content-type`, `cache-control`, `etag`,
   *   `content-disposition` and `x-ext-…` leave the gateway
   */
  constructor(body = null, { status = 200, headers = [] } = {}) {
    this.body = body;
    this.status = status;
    this.headers = new Headers(headers);
    if (body?.length && !this.headers.has('content-type')) {
      this.headers.append('content-type', typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/octet-stream');
    }
  }
}

/**
 * A value as JSON.
 * @param {unknown} value
 * @param {{status?: number, headers?: Pairs}} [init]
 */
export function json(value, init) {
  return typed(JSON.stringify(value), 'application/json', init);
}

/**
 * UTF-8 plain text.
 * @param {string} content
 * @param {{status?: number, headers?: Pairs}} [init]
 */
export function text(content, init) {
  return new Response(content, init);
}

/**
 * The RFC 9457 form of a `Problem`.
 * @param {Problem} problem
 */
export function problem({ status, detail, code, extra }) {
  const body = { type: 'about:blank', status, detail, ...(code && { code }), ...extra };
  return typed(JSON.stringify(body), 'application/problem+json', { status });
}

/**
 * What a handler may return instead of a `Response`: nothing is 204, text and bytes are bodies, the rest is JSON.
 * @param {unknown} value
 * @returns {Response}
 */
export function toResponse(value) {
  if (value instanceof Response) return value;
  if (value === undefined || value === null) return new Response(null, { status: 204 });
  if (typeof value === 'string' || value instanceof Uint8Array) return new Response(value);
  return json(value);
}

/**
 * From the component's request and back to its response.
 * @param {{method: string, path: string, query: string, route: string, params: Line[], headers: Line[], body: Body}} wit
 */
export function lift({ method, path, query, route, params, headers, body }) {
  const named = Object.fromEntries(params.map(({ name, value }) => [name, value]));
  return new Request({ method, path, query, route, params: named, headers: fromLines(headers), body });
}

/** @param {Response} response */
export function lower({ status, headers, body }) {
  return { status, headers: toLines(headers), body: toBody(body) };
}

/** @param {Line[]} lines */
export function fromLines(lines) {
  return lines.map(({ name, value }) => /** @type {[string, string]} */ ([name, value]));
}

/** @param {Headers} headers */
export function toLines(headers) {
  return [...headers].map(([name, value]) => ({ name, value }));
}

/**
 * @param {string} body
 * @param {string} type
 * @param {{status?: number, headers?: Pairs}} [init]
 */
function typed(body, type, { status, headers = [] } = {}) {
  const all = new Headers(headers);
  if (!all.has('content-type')) all.append('content-type', type);
  return new Response(body, { status, headers: all });
}
