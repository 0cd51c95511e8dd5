/**
 * A form made from an extension's JSON Schema for its configuration (draft 2020-12, one object, as a manifest has it).
 *
 * Text, numbers, choices, switches and lists of text have controls of their own; anything else is edited as JSON. The
 * platform checks what is sent, and its findings are shown at the field they are about.
 */
import { h } from './dom.js';

/** @typedef {import('./api.js').Problem} Problem */
/** @typedef {{element: HTMLElement, read: () => unknown, mark: (problem: string) => void}} Control */

/**
 * @param {any} schema the manifest's `settings`
 * @param {Record<string, unknown>} configuration as it is
 * @returns {{element: HTMLElement, read: () => Record<string, unknown>, show: (problem: Problem) => void}}
 */
export function settingsForm(schema, configuration) {
  const required = new Set(schema.required ?? []);
  /** @type {Map<string, Control>} */
  const controls = new Map();
  for (const [name, property] of Object.entries(schema.properties ?? {}))
    controls.set(name, control(name, /** @type {any} */ (property), configuration[name], required.has(name)));
  const element = h('div', { class: 'settings' }, ...[...controls.values()].map((one) => one.element));
  return { element, read: () => values(controls), show: (problem) => showFindings(controls, problem) };
}

/** @param {Map<string, Control>} controls */
function values(controls) {
  const read = [...controls].map(([name, { read }]) => [name, read()]);
  return Object.fromEntries(read.filter(([, value]) => value !== undefined));
}

/** @param {Map<string, Control>} controls @param {Problem} problem */
function showFindings(controls, problem) {
  for (const { mark } of controls.values()) mark('');
  for (const { at, message } of problem.findings) controls.get(at.replace(/^config\.?/, '').split(/[.[]/)[0])?.mark(message);
}

/** @param {string} name @param {any} schema @param {unknown} value @param {boolean} required @returns {Control} */
function control(name, schema, value, required) {
  const current = value === undefined ? schema.default : value;
  const given = { name, label: schema.title ?? name, hint: schema.description, required };
  if (Array.isArray(schema.enum)) return choice(given, schema.enum, current);
  switch (schema.type) {
    case 'boolean': return toggle(given, current);
    case 'integer':
    case 'number': return number(given, schema, current);
    case 'string': return text(given, schema, current);
    case 'array': return schema.items?.type === 'string' ? lines(given, current) : json(given, current);
    default: return json(given, current);
  } // prettier-ignore
}

/** @param {any} attributes */
function field(attributes) {
  const element = h(/** @type {any} */ ('oriel-field'), attributes);
  const mark = (/** @type {string} */ problem) => {
    if (problem) element.setAttribute('problem', problem);
    else element.removeAttribute('problem');
  };
  return { element, mark };
}

/** @param {any} given @param {unknown[]} options @param {unknown} current @returns {Control} */
function choice(given, options, current) {
  const made = field({ ...given, type: 'select' });
  const named = options.map((option) => h('option', { selected: option === current }, String(option)));
  made.element.append(...(given.required ? named : [h('option', { value: '' }, ''), ...named]));
  made.element.value = current === undefined ? '' : String(current);
  return { ...made, read: () => options.find((option) => String(option) === made.element.value) };
}

/** @param {any} given @param {unknown} current @returns {Control} */
function toggle(given, current) {
  const made = field({ ...given, required: false, type: 'checkbox', checked: current === true });
  return { ...made, read: () => made.element.checked };
}

/** @param {any} given @param {any} schema @param {unknown} current @returns {Control} */
function number(given, schema, current) {
  const step = schema.multipleOf ?? (schema.type === 'integer' ? 1 : 'any');
  const made = field({ ...given, type: 'number', step, min: schema.minimum, max: schema.maximum, value: current ?? '' });
  return { ...made, read: () => (made.element.value === '' ? undefined : Number(made.element.value)) };
}

/** @param {any} given @param {any} schema @param {unknown} current @returns {Control} */
function text(given, schema, current) {
  const type = schema.format === 'email' ? 'email' : schema.format === 'date' ? 'date' : 'text';
  const { minLength: minlength, maxLength: maxlength } = schema;
  const made = field({ ...given, type, minlength, maxlength, value: current ?? '' });
  return { ...made, read: () => (made.element.value === '' && !given.required ? undefined : made.element.value) };
}

/** @param {any} given @param {unknown} current @returns {Control} */
function lines(given, current) {
  const value = Array.isArray(current) ? current.join('\n') : '';
  const made = field({ ...given, type: 'textarea', rows: 3, hint: given.hint ?? 'One a line.', value });
  return { ...made, read: () => made.element.value.split('\n').map((/** @type {string} */ line) => line.trim()).filter(Boolean) }; // prettier-ignore
}

/** @param {any} given @param {unknown} current @returns {Control} */
function json(given, current) {
  const value = current === undefined ? '' : JSON.stringify(current, null, 2);
  const made = field({ ...given, type: 'textarea', rows: 5, hint: given.hint ?? 'JSON.', value });
  const read = () => {
    if (made.element.value.trim() === '') return undefined;
    try {
      return JSON.parse(made.element.value);
    } catch (error) {
      made.mark('This is not JSON.');
      throw error;
    }
  };
  return { ...made, read };
}
