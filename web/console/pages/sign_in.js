/** Nobody is signed in: the ways in. */
import { h } from '../dom.js';
import { button, problemCard, say } from '../parts.js';
import { canRedirect, redirect, useToken } from '../session.js';

/**
 * @param {() => Promise<void>} onIn somebody is signed in now
 * @param {unknown} [error] why an earlier try failed
 */
export function signInPage(onIn, error) {
  document.title = 'Sign in · Extensions';
  const field = h(/** @type {any} */ ('oriel-field'), {
    label: 'Token', type: 'password', name: 'token', required: true, autocomplete: 'off',
    hint: 'From your identity provider, an API key, or what "oriel token" prints.',
  }); // prettier-ignore
  const enter = async (/** @type {Event} */ event) => {
    event.preventDefault();
    useToken(field.value.trim());
    await onIn().catch(say);
  };
  const form = h('form', { onsubmit: enter }, field, h(/** @type {any} */ ('oriel-button'), { type: 'submit', variant: 'primary' }, 'Sign in'));
  const byHand = canRedirect() ? h('details', {}, h('summary', {}, 'With a token'), form) : form;
  return h('main', { id: 'main', class: 'sign-in' },
    h('p', { class: 'brand' }, 'Extensions'),
    h('h1', {}, 'Sign in'),
    error ? problemCard(error) : h('p', { class: 'muted' }, 'See what is installed for your organisation, decide what it may do, and what it did.'),
    canRedirect() && button('Sign in with your organisation', redirect, { variant: 'primary' }),
    byHand,
    h('div', { id: 'toasts' })); // prettier-ignore
}
