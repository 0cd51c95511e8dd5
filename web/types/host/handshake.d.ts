/**
 * @typedef {object} HandshakeOptions
 * @property {string} root the URL all documents of the UI lie under
 * @property {() => string} path the place inside the app that the fragment names
 * @property {() => Promise<import('./session.js').SessionToken>} session a session token, where the way needs one
 * @property {(port: Pick<MessagePort, 'postMessage' | 'onmessage' | 'close'>, version: number) => void} onPort a
 *   document has proven itself
 * @property {() => void} onDoubt a document has loaded; it may be another one than that which has the port
 * @property {() => void} onLost the document that had the port is gone
 * @property {(error: BridgeError) => void} onFail no document has proven itself
 * @property {number} timeoutMs for one handshake
 */
export class Handshake {
    /**
     * @param {HTMLIFrameElement} iframe
     * @param {HandshakeOptions} options
     */
    constructor(iframe: HTMLIFrameElement, options: HandshakeOptions);
    /**
     * Load a document of the UI and wait for it to ask for its port.
     *
     * @param {string} document its clean path below the UI's root, with a slash before it
     */
    begin(document: string): void;
    destroy(): void;
    /** Take the port back and wait for a document to ask for a new one. */
    disown(): void;
}
export type HandshakeOptions = {
    /**
     * the URL all documents of the UI lie under
     */
    root: string;
    /**
     * the place inside the app that the fragment names
     */
    path: () => string;
    /**
     * a session token, where the way needs one
     */
    session: () => Promise<import("./session.js").SessionToken>;
    /**
     * a
     * document has proven itself
     */
    onPort: (port: Pick<MessagePort, "postMessage" | "onmessage" | "close">, version: number) => void;
    /**
     * a document has loaded; it may be another one than that which has the port
     */
    onDoubt: () => void;
    /**
     * the document that had the port is gone
     */
    onLost: () => void;
    /**
     * no document has proven itself
     */
    onFail: (error: BridgeError) => void;
    /**
     * for one handshake
     */
    timeoutMs: number;
};
import { TokenBucket } from './limits.js';
import { BridgeError } from './errors.js';
