/**
 * Write an Oriel extension in JavaScript.
 *
 * ```js
 * import { App, Problem, storage } from 'oriel';
 *
 * const app = new App();
 *
 * app.get('/notes/:id', (request) => {
 *   const entry = storage.get(`note/${request.params.id}`);
 *   if (!entry) throw new Problem(404, 'There is no such note.');
 *   return entry.json();
 * });
 *
 * export default app;
 * ```
 *
 * `oriel build` looks for the default export of `src/main.js`. Every request runs in a fresh copy of the program as
 * it stood when it was built: module-level code runs once, at build time, and nothing is kept between requests.
 *
 * This is what is always there. `storage`, `http`, `secrets`, `user`, `metrics`, `host`, `events` and `schedule` are there
 * where manifest.json asks for their capability; importing one that is not fails the build and names the capability.
 */
export { App } from './app.js';
export * as context from './context.js';
export {
  Conflict, Denied, FetchFailed, HostError, Invalid, LimitExceeded, OperationFailed, Problem,
  ReferenceOnly, Unavailable,
} from './errors.js';
export * as log from './log.js';
export { Headers, Request, Response, json, problem, text } from './messages.js';
