/**
 * Where an extension's UI is: `{uiOrigin}/ext-ui/{extension id}/{content hash}/{entry}#{path}`.
 *
 * The path inside the app travels in the fragment: the document stays one cacheable URL, hash routers understand it,
 * and it reaches no server and no log.
 */
import { BridgeError } from './errors.js';
import { cleanPath } from './paths.js';

const EXTENSION_ID = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+$/;
const CONTENT_HASH = /^sha256:[0-9a-f]{64}$/;
const DEFAULT_ENTRY = 'ui/index.html';
const UI_FOLDER = 'ui/';

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
export function buildExtUiSrc({ uiOrigin, extensionId, contentHash, entry, path }) {
  const document = uiRoot({ uiOrigin, extensionId, contentHash }) + servedPath(entry);
  return path === undefined ? document : `${document}#${innerPath(path)}`;
}

/**
 * The URL all files of one UI lie under, without a slash at the end.
 *
 * @param {ExtUi} ui
 */
export function uiRoot({ uiOrigin, extensionId, contentHash }) {
  if (!isExtensionId(extensionId)) throw invalid(`"${extensionId}" is not an extension id.`);
  if (!CONTENT_HASH.test(contentHash)) throw invalid(`"${contentHash}" is not a content hash.`);
  return `${originOf(uiOrigin)}/ext-ui/${extensionId}/${contentHash}`;
}

/**
 * Where a file of the bundle's `ui/` is, below the UI's root.
 *
 * @param {string} [entry]
 * @throws {BridgeError} `invalid_path`
 */
export function servedPath(entry = DEFAULT_ENTRY) {
  if (!entry.startsWith(UI_FOLDER)) throw new BridgeError('invalid_path', `"${entry}" is not under ${UI_FOLDER}.`);
  return cleanPath(entry.slice(UI_FOLDER.length)).pathname;
}

/**
 * A place inside an app, as it may stand in the product's own URL.
 *
 * @param {string} path
 * @returns {string}
 * @throws {BridgeError} `invalid_path`
 */
export function innerPath(path) {
  const { pathname, query } = cleanPath(path);
  return pathname + query;
}

/** @param {unknown} value @returns {value is string} */
export function isExtensionId(value) {
  return typeof value === 'string' && value.length <= 200 && EXTENSION_ID.test(value);
}

/** @param {string} uiOrigin */
function originOf(uiOrigin) {
  const { origin, protocol } = new URL(uiOrigin);
  if (protocol !== 'https:' && protocol !== 'http:') throw invalid(`"${uiOrigin}" is not a web origin.`);
  return origin;
}

/** @param {string} message */
function invalid(message) {
  return new BridgeError('invalid_extension', message);
}
