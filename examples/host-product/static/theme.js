/** Light and dark, kept for the next visit; extensions get the same colours as the page. */
import { setTheme } from '/oriel/host.js';

const TOKENS = [
  'color-background', 'color-surface', 'color-text', 'color-muted', 'color-border', 'color-accent', 'color-on-accent',
  'color-danger', 'color-success', 'color-warning', 'radius', 'font',
];
const dark = matchMedia('(prefers-color-scheme: dark)');

/** @returns {'light' | 'dark'} */
export function scheme() {
  const kept = localStorage.getItem('halden-scheme');
  if (kept === 'light' || kept === 'dark') return kept;
  return dark.matches ? 'dark' : 'light';
}

export function toggleScheme() {
  localStorage.setItem('halden-scheme', scheme() === 'dark' ? 'light' : 'dark');
  applyScheme();
}

export function applyScheme() {
  document.documentElement.dataset.scheme = scheme();
  setTheme(theme());
}

/** The page's own custom properties, under the names that extensions know. */
export function theme() {
  const style = getComputedStyle(document.body);
  const tokens = Object.fromEntries(TOKENS.map((name) => [name, style.getPropertyValue(`--oriel-${name}`).trim()]));
  return { scheme: scheme(), tokens };
}

dark.addEventListener('change', applyScheme);
