/**
 * What a frame has asked for and waits for: calls to its handler, session tokens. Each is answered on the port that was
 * there when it was asked, or not at all.
 */
import { BridgeError } from './errors.js';

export class Calls {
  /**
   * @param {import('./proxy.js').ApiProxy} proxy
   * @param {import('./session.js').SessionTokens} sessions
   */
  constructor(proxy, sessions) {
    this._proxy = proxy;
    this._sessions = sessions;
    /** @type {Pick<MessagePort, 'postMessage'> | null} */
    this._port = null;
    /** @type {Map<number, AbortController>} */
    this._open = new Map();
  }

  /** @param {Pick<MessagePort, 'postMessage'>} port */
  begin(port) {
    this._port = port;
  }

  /** Abort what is open; nobody is left to be answered. */
  end() {
    this._port = null;
    for (const controller of this._open.values()) controller.abort();
    this._open.clear();
  }

  /** @param {number} id */
  abort(id) {
    this._open.get(id)?.abort();
  }

  /** @param {import('./messages.js').RequestMessage} message */
  async call(message) {
    const { id } = message;
    if (this._open.has(id)) return;
    const port = this._port;
    const controller = new AbortController();
    this._open.set(id, controller);
    try {
      const answer = await this._proxy.call(message, controller.signal);
      if (port === this._port) port?.postMessage({ type: 'response', id, ...answer }, [answer.body]);
    } catch (error) {
      if (port === this._port) port?.postMessage(failure(id, error));
    } finally {
      if (this._open.get(id) === controller) this._open.delete(id);
    }
  }

  /** @param {import('./messages.js').SessionMessage} message */
  async mint({ id, fresh }) {
    const port = this._port;
    try {
      const session = await this._sessions.get({ fresh });
      if (port === this._port) port?.postMessage({ type: 'session', id, ...session });
    } catch (error) {
      if (port === this._port) port?.postMessage(failure(id, error));
    }
  }
}

/** @param {number} id @param {unknown} error */
function failure(id, error) {
  const { code, message } = error instanceof BridgeError ? error : new BridgeError('unavailable', 'It did not work.');
  return { type: 'failure', id, code, message };
}
