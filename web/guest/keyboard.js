/**
 * The keyboard between the product and the frame: which keys go on to the product, and where the focus begins.
 */

const MODIFIERS = new Set(['Control', 'Meta', 'Alt', 'Shift']);
const TYPED_INTO = 'input, textarea, select, [contenteditable=""], [contenteditable="true"]';
const BEGINNINGS = '[autofocus], main, [role="main"], h1';
const isMac = /Mac|iPhone|iPad/.test(navigator.platform);

/**
 * The name of a key as products write it, for example `Mod+k`, `Shift+?` or `Escape`; null where it is the app's own:
 * one that it has handled, and a letter that is being typed.
 *
 * @param {KeyboardEvent} event
 * @returns {string | null}
 */
export function hotkeyOf(event) {
  if (event.defaultPrevented || event.isComposing || !event.isTrusted || MODIFIERS.has(event.key)) return null;
  const mod = isMac ? event.metaKey : event.ctrlKey;
  const isTyped = event.key.length === 1 && !mod && !event.altKey;
  const at = event.composedPath()[0];
  if (isTyped && at instanceof Element && at.matches(TYPED_INTO)) return null;
  const isLetter = event.key.length === 1;
  const parts = [mod && 'Mod', event.altKey && 'Alt', event.shiftKey && !(isLetter && !mod) && 'Shift'];
  return [...parts.filter(Boolean), isLetter ? event.key.toLowerCase() : event.key].join('+');
}

/** Put the focus where the app begins. */
export function focusBeginning() {
  const found = document.querySelector(BEGINNINGS);
  const target = found instanceof HTMLElement ? found : document.body;
  if (!target.matches(TYPED_INTO) && target.tabIndex < 0) target.tabIndex = -1;
  target.focus({ preventScroll: true });
}
