/** `<console-mark tone="good|warn|bad">`: a word on a ground of its colour; an element, so that it looks alike inside tables. */

const STYLES = new CSSStyleSheet();
STYLES.replaceSync(`
  :host { --_tone: var(--oriel-color-text); display: inline-block; padding: 0.05rem 0.5rem; font-size: 0.82rem; line-height: 1.5;
    white-space: nowrap; border-radius: 1rem; color: color-mix(in srgb, var(--_tone) 75%, var(--oriel-color-text)); background: color-mix(in srgb, var(--_tone) 11%, transparent); }
  :host([tone='good']) { --_tone: var(--oriel-color-success); }
  :host([tone='warn']) { --_tone: var(--oriel-color-warning); }
  :host([tone='bad']) { --_tone: var(--oriel-color-danger); }
`);

class MarkElement extends HTMLElement {
  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open' });
    root.adoptedStyleSheets = [STYLES];
    root.append(document.createElement('slot'));
  }
}

customElements.define('console-mark', MarkElement);
