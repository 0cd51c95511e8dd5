/** Beacon: a program as for a service worker. Each `fetch` event is one request to an endpoint of manifest.json. */
import { Refused } from './refused.js';
import { forget, keep, latest } from './notices.js';
import { checked } from './services.js';

addEventListener('fetch', (event) => event.respondWith(answer(event.request)));

/** @param {Request} request */
async function answer(request) {
  const { pathname } = new URL(request.url);
  try {
    return await route(request.method, pathname, request);
  } catch (error) {
    if (error instanceof Refused) return problem(error.status, error.message);
    console.error(`${request.method} ${pathname} failed: ${error}`);
    return problem(500, 'The extension failed; its log says why.');
  }
}

/**
 * @param {string} method
 * @param {string} path
 * @param {Request} request
 */
async function route(method, path, request) {
  if (method === 'GET' && path === '/board') return json({ services: await checked(), notices: latest() });
  if (method === 'POST' && path === '/notices') return json(keep(await form(request)), 201);
  const [, id] = /^\/notices\/([\w-]+)$/.exec(path) ?? [];
  if (method === 'DELETE' && id) {
    forget(id);
    return new Response(null, { status: 204 });
  }
  throw new Refused(404, `There is no ${method} ${path}.`);
}

/** @param {Request} request */
async function form(request) {
  const value = await request.json().catch(() => null);
  if (typeof value !== 'object' || value === null) throw new Refused(400, 'The body is not a JSON object.');
  return value;
}

/** @param {unknown} value @param {number} [status] */
function json(value, status = 200) {
  return new Response(JSON.stringify(value), { status, headers: { 'content-type': 'application/json' } });
}

/** RFC 9457. @param {number} status @param {string} detail */
function problem(status, detail) {
  const headers = { 'content-type': 'application/problem+json' };
  return new Response(JSON.stringify({ status, detail }), { status, headers });
}
