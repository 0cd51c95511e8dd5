/**
 * The host library: show extensions of Oriel in a product's pages.
 *
 *     import { configureOriel } from '/oriel/host.js';
 *     configureOriel({ uiOrigin: 'https://ui.example', getToken: () => session.token() });
 *     // <oriel-extension extension="com.acme.reports" path="/"></oriel-extension>
 *
 * `bootstrapIframe()` is the part below the element, for products that render their own frame.
 */
export { bootstrapIframe, ExtensionFrame } from './host/frame.js';
export { configureOriel, OrielExtensionElement, setLocale, setTheme } from './host/element.js';
export { BridgeError } from './host/errors.js';
export { buildExtUiSrc } from './host/src.js';

/**
 * @typedef {import('./host/frame.js').FrameOptions} FrameOptions
 * @typedef {import('./host/frame.js').Theme} Theme
 * @typedef {import('./host/element.js').HostConfiguration} HostConfiguration
 * @typedef {import('./host/element.js').Extension} Extension
 * @typedef {import('./host/src.js').ExtUi} ExtUi
 * @typedef {import('./host/proxy.js').ProxyLimits} ProxyLimits
 * @typedef {import('./host/proxy.js').GetToken} GetToken
 * @typedef {import('./host/messages.js').ConfirmMessage} ConfirmMessage
 */
