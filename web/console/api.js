/** The registry's API as the console calls it: JSON in and out, and refusals as `Problem`. */
import { getToken, signedOut } from './session.js';

/** What the platform refused, as its problem+json says it. */
export class Problem extends Error {
  /** @param {number} status @param {any} body */
  constructor(status, body) {
    super(body?.detail || body?.title || `The platform answered ${status}.`);
    this.status = status;
    /** @type {string} */
    this.code = body?.code ?? 'unknown';
    /** @type {string} how to mend it; may be empty */
    this.hint = body?.hint ?? '';
    /** @type {{at: string, message: string}[]} */
    this.findings = body?.findings ?? body?.errors ?? [];
    /** @type {string} */
    this.requestId = body?.request_id ?? '';
    this.body = body;
  }
}

/**
 * @param {string} path below `/api/v1`
 * @param {{method?: string, json?: unknown, signal?: AbortSignal}} [options]
 * @returns {Promise<any>} the answer's JSON; null where it has none
 */
export async function api(path, { method = 'GET', json, signal } = {}) {
  const answer = await ask(path, { method, json, signal });
  const isJson = /^application\/(problem\+)?json/.test(answer.headers.get('content-type') ?? '');
  const body = isJson ? await answer.json() : null;
  if (answer.ok) return body;
  if (answer.status === 401) signedOut();
  throw new Problem(answer.status, body);
}

/** An answer to save as a file. @param {string} path @param {string} name */
export async function download(path, name) {
  const answer = await ask(path, { method: 'GET' });
  if (!answer.ok) throw new Problem(answer.status, await answer.json().catch(() => null));
  const url = URL.createObjectURL(await answer.blob());
  Object.assign(document.createElement('a'), { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** All items of a listing, page by page, at most `most`. @param {string} path @param {number} [most] */
export async function all(path, most = 1_000) {
  /** @type {any[]} */
  const items = [];
  let cursor = null;
  do {
    const page = await api(withQuery(path, { cursor }));
    items.push(...page.items);
    cursor = page.cursor;
  } while (cursor && items.length < most);
  return items;
}

/** @param {string} path @param {Record<string, string | number | null | undefined>} query empty values are left out */
export function withQuery(path, query) {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== '');
  const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return search ? `${path}${path.includes('?') ? '&' : '?'}${search}` : path;
}

/** @param {string} path @param {{method: string, json?: unknown, signal?: AbortSignal}} options */
async function ask(path, { method, json, signal }) {
  const headers = new Headers({ accept: 'application/json', authorization: `Bearer ${await getToken()}` });
  if (json !== undefined) headers.set('content-type', 'application/json');
  const body = json === undefined ? undefined : JSON.stringify(json);
  try {
    return await fetch(`/api/v1${path}`, { method, headers, body, signal, credentials: 'omit', cache: 'no-store' });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem(0, { detail: 'The platform cannot be reached.', hint: 'Look at your connection and try again.' });
  }
}
