/** A small router: one function for each endpoint that manifest.json declares. */
import { HostError, Problem } from './errors.js';
import { problem, toResponse } from './messages.js';

/** @typedef {import('./messages.js').Request} Request */
/** @typedef {import('./messages.js').Response} Response */
/** @typedef {(request: Request) => unknown} Handler takes a request; returns, or promises, an answer */
/** @typedef {(message: string, fields: Record<string, unknown>) => void} Report */

/**
 * The extension's endpoints.
 *
 * A route is written as in manifest.json: `/notes/:id`. Where several fit a path, the one with more literal segments
 * wins, from the left. HEAD is answered by the function for GET, without its body.
 *
 * A function returns a `Response`, or text, bytes, nothing (204), or anything that can be written as JSON.
 */
export class App {
  /** @type {{method: string, segments: string[], handler: Handler}[]} */
  #routes = [];

  /**
   * Register a function; a second one for the same method and route is an error.
   * @param {string} method
   * @param {string} path
   * @param {Handler} handler
   */
  route(method, path, handler) {
    const segments = split(path);
    if (this.#routes.some((route) => route.method === method && rank(route.segments) === rank(segments)
      && segments.every((part, at) => part.startsWith(':') || part === route.segments[at]))) {
      throw new Error(`there is a function for ${method} ${path} already`);
    }
    this.#routes.push({ method, segments, handler });
    this.#routes.sort((one, other) => (rank(one.segments) < rank(other.segments) ? -1 : 1));
    return this;
  }

  /** @param {string} path @param {Handler} handler */
  get(path, handler) { return this.route('GET', path, handler); }

  /** @param {string} path @param {Handler} handler */
  post(path, handler) { return this.route('POST', path, handler); }

  /** @param {string} path @param {Handler} handler */
  put(path, handler) { return this.route('PUT', path, handler); }

  /** @param {string} path @param {Handler} handler */
  patch(path, handler) { return this.route('PATCH', path, handler); }

  /** @param {string} path @param {Handler} handler */
  delete(path, handler) { return this.route('DELETE', path, handler); }

  /**
   * The answer to a request. Never throws.
   * @param {Request} request
   * @param {{warn: Report, error: Report}} log
   * @returns {Promise<Response>}
   */
  async handle(request, log) {
    const response = await this.#answer(request, log);
    if (request.method === 'HEAD') response.body = null;
    return response;
  }

  /** @param {Request} request @param {{warn: Report, error: Report}} log */
  async #answer(request, log) {
    const { path } = request;
    try {
      return toResponse(await this.#find(request)(request));
    } catch (error) {
      if (error instanceof Problem) return problem(error);
      if (error instanceof HostError) {
        log.warn('a host call was refused', { kind: error.kind, detail: error.detail, path });
        return problem(new Problem(error.status, error.detail, error.kind.replaceAll('-', '_')));
      }
      const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
      log.error(`${name}: ${message}\n${stack ?? ''}`, { error: name, path });
      return problem(new Problem(500, 'The extension failed; its log says why.', 'extension_error'));
    }
  }

  /** @param {Request} request @returns {Handler} */
  #find(request) {
    const path = split(request.path);
    const allowed = [];
    for (const { method, segments, handler } of this.#routes) {
      const params = match(segments, path);
      if (!params) continue;
      if (method === request.method || (method === 'GET' && request.method === 'HEAD')) {
        request.params = params;
        return handler;
      }
      allowed.push(method);
    }
    if (allowed.length) throw new Problem(405, `${request.path} takes ${allowed.join(', ')}.`, 'method_not_allowed');
    throw new Problem(404, `The extension has no ${request.path}.`, 'not_found');
  }
}

/** @param {string} path */
function split(path) {
  return path.replace(/^\/+|\/+$/g, '').split('/');
}

/**
 * Literal segments sort before `:name`.
 * @param {string[]} segments
 */
function rank(segments) {
  return segments.map((segment) => (segment.startsWith(':') ? '1' : '0')).join('');
}

/**
 * @param {string[]} route
 * @param {string[]} path
 * @returns {Record<string, string> | null}
 */
function match(route, path) {
  if (route.length !== path.length) return null;
  /** @type {Record<string, string>} */
  const params = {};
  for (const [at, pattern] of route.entries()) {
    const value = decode(path[at]);
    if (pattern.startsWith(':') && value) params[pattern.slice(1)] = value;
    else if (pattern !== value) return null;
  }
  return params;
}

/** @param {string} segment */
function decode(segment) {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
