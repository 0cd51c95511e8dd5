/** @param {{message: string, kind: string}} toast */
export function showToast({ message, kind }: {
    message: string;
    kind: string;
}): void;
/**
 * Ask with a modal dialog. Escape means no, and no has the focus where yes would destroy something.
 *
 * @param {import('./messages.js').ConfirmMessage} question
 * @param {string} asker the extension's title
 * @returns {Promise<boolean>}
 */
export function askInDialog({ title, message, confirmLabel, cancelLabel, danger }: import("./messages.js").ConfirmMessage, asker: string): Promise<boolean>;
