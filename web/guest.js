/**
 * The guest library: an extension's UI and the product it is shown in.
 *
 *     import { oriel } from '/oriel/guest.js';
 *     const { path, locale } = await oriel.ready();
 *     const answer = await oriel.fetch('/reports', { method: 'POST', body: JSON.stringify(form) });
 *
 * Import it before other modules: it takes the bridge's nonce out of the URL before a router reads it.
 */
export { oriel, OrielGuest } from './guest/oriel.js';
export { OrielError } from './guest/errors.js';

/**
 * @typedef {import('./guest/connection.js').Context} Context
 * @typedef {import('./guest/oriel.js').Question} Question
 */
