export class Card {
    /**
     * @param {ShadowRoot} root
     * @param {() => void} retry
     */
    constructor(root: ShadowRoot, retry: () => void);
    /** An iframe in the document that nothing was loaded into yet. */
    freshIframe(): HTMLIFrameElement;
    loading(): void;
    ready(): void;
    /** @param {import('./errors.js').BridgeError} error */
    failed(error: import("./errors.js").BridgeError): void;
    clear(): void;
}
