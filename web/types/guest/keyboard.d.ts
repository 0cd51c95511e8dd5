/**
 * The name of a key as products write it, for example `Mod+k`, `Shift+?` or `Escape`; null where it is the app's own:
 * one that it has handled, and a letter that is being typed.
 *
 * @param {KeyboardEvent} event
 * @returns {string | null}
 */
export function hotkeyOf(event: KeyboardEvent): string | null;
/** Put the focus where the app begins. */
export function focusBeginning(): void;
