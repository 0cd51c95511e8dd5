export class AlgaHandshake {
    /**
     * @param {HTMLIFrameElement} iframe
     * @param {import('./handshake.js').HandshakeOptions} options
     */
    constructor(iframe: HTMLIFrameElement, options: import("./handshake.js").HandshakeOptions);
    /** @param {string} document its clean path below the UI's root, with a slash before it */
    begin(document: string): void;
    /** The document is in doubt: load the UI anew. */
    disown(): void;
    destroy(): void;
}
import { TokenBucket } from './limits.js';
/** What the frame's handle takes for its port: it hears and says the bridge's own messages. */
declare class AlgaPort {
    /**
     * @param {(message: object) => void} post to the child's window
     * @param {() => Promise<import('./session.js').SessionToken>} session
     */
    constructor(post: (message: object) => void, session: () => Promise<import("./session.js").SessionToken>);
    /** @type {((event: any) => any) | null} */
    onmessage: ((event: any) => any) | null;
    /** @type {() => void} */
    onfail: () => void;
    close(): void;
    /** @param {unknown} data a message of the child, of the right envelope */
    take(data: unknown): void;
    /** @param {any} message of the bridge, to the child */
    postMessage(message: any): void;
}
export {};
