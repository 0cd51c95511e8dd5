/**
 * @typedef {object} ExtUi
 * @property {string} uiOrigin for example `https://ui.example`
 * @property {string} extensionId for example `com.acme.reports`
 * @property {string} contentHash `sha256:` and 64 hex digits
 * @property {string} [entry] a file as the manifest names it, under `ui/`; `ui/index.html` by default
 * @property {string} [path] the place inside the app, for example `/reports/7`
 */
/**
 * The URL of an extension's UI, or of another file of it, such as a menu item's icon.
 *
 * @param {ExtUi} ui
 * @returns {string}
 * @throws {BridgeError} `invalid_extension` for an id, hash or origin that is none, `invalid_path`
 */
export function buildExtUiSrc({ uiOrigin, extensionId, contentHash, entry, path }: ExtUi): string;
/**
 * The URL all files of one UI lie under, without a slash at the end.
 *
 * @param {ExtUi} ui
 */
export function uiRoot({ uiOrigin, extensionId, contentHash }: ExtUi): string;
/**
 * Where a file of the bundle's `ui/` is, below the UI's root.
 *
 * @param {string} [entry]
 * @throws {BridgeError} `invalid_path`
 */
export function servedPath(entry?: string): string;
/**
 * A place inside an app, as it may stand in the product's own URL.
 *
 * @param {string} path
 * @returns {string}
 * @throws {BridgeError} `invalid_path`
 */
export function innerPath(path: string): string;
/** @param {unknown} value @returns {value is string} */
export function isExtensionId(value: unknown): value is string;
export type ExtUi = {
    /**
     * for example `https://ui.example`
     */
    uiOrigin: string;
    /**
     * for example `com.acme.reports`
     */
    extensionId: string;
    /**
     * `sha256:` and 64 hex digits
     */
    contentHash: string;
    /**
     * a file as the manifest names it, under `ui/`; `ui/index.html` by default
     */
    entry?: string | undefined;
    /**
     * the place inside the app, for example `/reports/7`
     */
    path?: string | undefined;
};
