export class Calls {
    /**
     * @param {import('./proxy.js').ApiProxy} proxy
     * @param {import('./session.js').SessionTokens} sessions
     */
    constructor(proxy: import("./proxy.js").ApiProxy, sessions: import("./session.js").SessionTokens);
    /** @param {Pick<MessagePort, 'postMessage'>} port */
    begin(port: Pick<MessagePort, "postMessage">): void;
    /** Abort what is open; nobody is left to be answered. */
    end(): void;
    /** @param {number} id */
    abort(id: number): void;
    /** @param {import('./messages.js').RequestMessage} message */
    call(message: import("./messages.js").RequestMessage): Promise<void>;
    /** @param {import('./messages.js').SessionMessage} message */
    mint({ id, fresh }: import("./messages.js").SessionMessage): Promise<void>;
}
