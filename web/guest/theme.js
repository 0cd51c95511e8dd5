/**
 * The product's theme as CSS custom properties: the token `color-accent` is `var(--oriel-color-accent)`.
 */

const NAME = /^[a-z][a-z0-9-]{0,63}$/;

/** @type {string[]} */
let applied = [];

/** @param {import('./connection.js').Context['theme']} theme */
export function applyTheme({ scheme, tokens = {} }) {
  const root = document.documentElement;
  for (const property of applied) root.style.removeProperty(property);
  const entries = Object.entries(tokens).filter(([name, value]) => NAME.test(name) && typeof value === 'string');
  applied = entries.map(([name]) => `--oriel-${name}`);
  for (const [name, value] of entries) root.style.setProperty(`--oriel-${name}`, value);
  root.style.colorScheme = scheme ?? '';
  if (scheme) root.dataset.orielScheme = scheme;
  else delete root.dataset.orielScheme;
}
