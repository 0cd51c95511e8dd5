/**
 * What the components share: the theme's colours with defaults, and making elements.
 *
 * Text stays text: nothing here parses HTML.
 */
/** @param {string} css */
export function sheet(css: string): CSSStyleSheet;
/**
 * An element with attributes and children; `false`, `null` and `undefined` leave an attribute or a child out.
 *
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Record<string, string | number | boolean | null | undefined>} [attributes]
 * @param {...(Node | string | number | null | undefined | false)} children
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function make<Name extends keyof HTMLElementTagNameMap>(name: Name, attributes?: Record<string, string | number | boolean | null | undefined>, ...children: (Node | string | number | null | undefined | false)[]): HTMLElementTagNameMap[Name];
/**
 * The same in SVG.
 *
 * @param {string} name
 * @param {Record<string, string | number | boolean | null | undefined>} [attributes]
 * @param {...(Node | string | number | null | undefined | false)} children
 */
export function draw(name: string, attributes?: Record<string, string | number | boolean | null | undefined>, ...children: (Node | string | number | null | undefined | false)[]): SVGElement;
/**
 * Define an element, unless another copy of the library has.
 *
 * @param {string} name
 * @param {CustomElementConstructor} element
 */
export function define(name: string, element: CustomElementConstructor): void;
export const LOOK: CSSStyleSheet;
