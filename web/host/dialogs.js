/**
 * The product's own words for what an extension wants to say or ask, where the product brings none of its own.
 *
 * Text only, and the extension's name stands on it: what looks like the product asking must not be a stranger.
 */

const TOAST_MS = 6_000;
const STYLES = new CSSStyleSheet();
STYLES.replaceSync(`
  .oriel-toasts { position: fixed; right: 1rem; bottom: 1rem; z-index: 1000; display: grid; gap: 0.5rem;
    max-width: min(24rem, calc(100vw - 2rem)); }
  .oriel-toast { padding: 0.7rem 1rem; border-radius: var(--oriel-radius, 0.6rem); overflow-wrap: anywhere;
    background: var(--oriel-color-inverse, #1d2433); color: var(--oriel-color-on-inverse, #fff);
    border-left: 4px solid var(--oriel-color-accent, #4c7dff); box-shadow: 0 6px 24px rgb(0 0 0 / 0.22); }
  .oriel-toast[data-kind='success'] { border-left-color: #2f9e62; }
  .oriel-toast[data-kind='warning'] { border-left-color: #d9940b; }
  .oriel-toast[data-kind='error'] { border-left-color: #d9483b; }
  .oriel-dialog { max-width: 26rem; padding: 1.4rem 1.5rem; border-radius: var(--oriel-radius, 0.6rem);
    border: 1px solid var(--oriel-color-border, color-mix(in srgb, CanvasText 18%, transparent));
    background: var(--oriel-color-surface, Canvas); color: var(--oriel-color-text, CanvasText); }
  .oriel-dialog::backdrop { background: rgb(10 14 24 / 0.45); }
  .oriel-dialog h2 { margin: 0 0 0.4rem; font-size: 1.1rem; }
  .oriel-dialog p { margin: 0 0 1.2rem; white-space: pre-line; overflow-wrap: anywhere; }
  .oriel-dialog small { display: block; margin-bottom: 0.6rem;
    color: var(--oriel-color-muted, color-mix(in srgb, CanvasText 70%, Canvas)); }
  .oriel-dialog menu { display: flex; justify-content: flex-end; gap: 0.6rem; margin: 0; padding: 0; }
  .oriel-dialog button { font: inherit; padding: 0.45rem 0.9rem; border-radius: 0.45rem; cursor: pointer;
    border: 1px solid var(--oriel-color-border, color-mix(in srgb, CanvasText 25%, transparent));
    background: transparent; color: inherit; }
  .oriel-dialog button[value='yes'] { background: var(--oriel-color-accent, #2457d6); border-color: transparent;
    color: var(--oriel-color-on-accent, #fff); }
  .oriel-dialog[data-danger] button[value='yes'] { background: #c0362c; color: #fff; }
  .oriel-dialog button:focus-visible { outline: 2px solid var(--oriel-color-accent, Highlight); outline-offset: 2px; }
`);

/** @param {{message: string, kind: string}} toast */
export function showToast({ message, kind }) {
  const made = text('div', message, 'oriel-toast');
  made.dataset.kind = kind;
  region().append(made);
  setTimeout(() => made.remove(), TOAST_MS);
}

/**
 * Ask with a modal dialog. Escape means no, and no has the focus where yes would destroy something.
 *
 * @param {import('./messages.js').ConfirmMessage} question
 * @param {string} asker the extension's title
 * @returns {Promise<boolean>}
 */
export function askInDialog({ title, message, confirmLabel, cancelLabel, danger }, asker) {
  adoptStyles();
  const dialog = document.createElement('dialog');
  dialog.className = 'oriel-dialog';
  dialog.toggleAttribute('data-danger', danger);
  const heading = text('h2', title);
  heading.id = `oriel-dialog-${crypto.getRandomValues(new Uint32Array(1))[0]}`;
  dialog.setAttribute('aria-labelledby', heading.id);
  const form = document.createElement('form');
  form.method = 'dialog';
  const choices = document.createElement('menu');
  const no = choice('no', cancelLabel || 'Cancel');
  const yes = choice('yes', confirmLabel || 'OK');
  choices.append(no, yes);
  form.append(text('small', `${asker} asks`), heading, text('p', message), choices);
  dialog.append(form);
  (danger ? no : yes).autofocus = true;
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'yes');
    });
  });
}

function region() {
  adoptStyles();
  const found = document.querySelector('.oriel-toasts');
  if (found) return found;
  const made = document.createElement('div');
  made.className = 'oriel-toasts';
  made.setAttribute('role', 'status');
  document.body.append(made);
  return made;
}

function adoptStyles() {
  if (!document.adoptedStyleSheets.includes(STYLES)) {
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, STYLES];
  }
}

/** @param {string} value @param {string} label */
function choice(value, label) {
  const button = /** @type {HTMLButtonElement} */ (text('button', label));
  button.value = value;
  return button;
}

/** @param {string} name @param {string} content @param {string} [className] */
function text(name, content, className = '') {
  const made = document.createElement(name);
  made.textContent = content;
  made.className = className;
  return made;
}
