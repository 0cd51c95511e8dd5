/** The services of the tenant's settings, asked now. */
import { context } from 'oriel';

/**
 * @typedef {object} Service
 * @property {string} name
 * @property {'up' | 'down' | 'unreachable'} state
 * @property {number | null} status of its answer
 * @property {number} ms until it answered
 */

/** @returns {Promise<Service[]>} */
export async function checked() {
  const services = context.setting('services', []);
  return Promise.all(services.map(check));
}

/**
 * @param {{name: string, url: string}} service
 * @returns {Promise<Service>}
 */
async function check({ name, url }) {
  const began = Date.now();
  try {
    const answer = await fetch(url);
    await answer.arrayBuffer();
    return { name, state: answer.ok ? 'up' : 'down', status: answer.status, ms: Date.now() - began };
  } catch (error) {
    // Why it failed stands in the log already: the platform writes it there.
    console.log(`${name} cannot be reached: ${error}`);
    return { name, state: 'unreachable', status: null, ms: Date.now() - began };
  }
}
