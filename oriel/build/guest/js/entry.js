/** From the component's `handler` to the author's app and back. `oriel build` bundles it with `src/main.js`. */
import app from 'oriel:main';
import { App } from './app.js';
import * as log from './log.js';
import { lift, lower } from './messages.js';
import { begin, prepare } from './runtime.js';

if (!(app instanceof App)) throw new Error("src/main.js has no app: write 'export default app' for an App of 'oriel'");

prepare();

/** @param {Parameters<typeof lift>[0]} request */
export async function handler(request) {
  begin();
  return lower(await app.handle(lift(request), log));
}
