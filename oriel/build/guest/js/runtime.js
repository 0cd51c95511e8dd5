/**
 * The language's own ways to the clock, to randomness and to the console, led to the host.
 *
 * A component has none of its own: `Date` stood still when it was built, `Math.random` and `crypto` would give every
 * request the same numbers, and a timer would end the execution without a word. While the extension is built all is
 * as usual; `prepare` lays the host's ways beside it, and `begin` turns over to them when a request comes in.
 */
import { nowMs, randomU64 } from './context.js';
import * as log from './log.js';

const LEVELS = /** @type {const} */ ({ debug: 'debug', log: 'info', info: 'info', warn: 'warn', error: 'error', trace: 'debug' });

let serving = false;

/** Called when the author's modules are read; they are kept in the component, so that a request need not do it. */
export function prepare() {
  const { random } = Math;
  const { performance, crypto, console } = globalThis;
  Math.random = () => (serving ? Number(randomU64() >> 11n) / 2 ** 53 : random());
  replace('Date', hostDate(Date));
  choose('performance', performance, { now: nowMs, timeOrigin: 0 });
  choose('crypto', crypto, { getRandomValues, randomUUID });
  choose('console', console, Object.fromEntries(Object.entries(LEVELS).map(([name, level]) => [name, print(log[level])])));
  for (const name of ['setTimeout', 'setInterval', 'fetch']) replace(name, () => missing(name));
}

/** Called at the start of every request. */
export function begin() {
  serving = true;
}

/** @param {string} name @param {unknown} usual while the extension is built @param {unknown} hosts from then on */
function choose(name, usual, hosts) {
  Object.defineProperty(globalThis, name, { get: () => (serving ? hosts : usual), configurable: true, enumerable: false });
}

/** Some globals are read-only properties: they are defined anew. @param {string} name @param {unknown} value */
function replace(name, value) {
  Object.defineProperty(globalThis, name, { value, configurable: true, enumerable: false, writable: true });
}

/** @param {DateConstructor} Usual */
function hostDate(Usual) {
  const now = () => (serving ? nowMs() : Usual.now());
  class HostDate extends Usual {
    /** @param {any[]} parts */
    constructor(...parts) {
      // @ts-expect-error: the overloads of Date do not take a spread
      super(...(parts.length ? parts : [now()]));
    }

    static now() {
      return now();
    }
  }
  Object.defineProperty(HostDate, 'name', { value: 'Date' });
  return HostDate;
}

/**
 * @template {ArrayBufferView} T
 * @param {T} view
 * @returns {T}
 */
function getRandomValues(view) {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  for (let at = 0; at < bytes.length; at += 8) {
    let word = randomU64();
    for (let next = at; next < Math.min(at + 8, bytes.length); next += 1, word >>= 8n) bytes[next] = Number(word & 0xffn);
  }
  return view;
}

function randomUUID() {
  const bytes = getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** @param {import('./log.js').Write} write */
function print(write) {
  return (/** @type {unknown[]} */ ...values) => write(values.map(shown).join(' '));
}

/** @param {unknown} value */
function shown(value) {
  if (typeof value === 'string') return value;
  if (value instanceof Error) return `${value.name}: ${value.message}\n${value.stack ?? ''}`;
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
}

/** @param {string} name @returns {never} */
function missing(name) {
  const instead = name === 'fetch' ? "use 'http' from 'oriel'" : 'an extension would only use up its own time';
  throw new Error(`There is no ${name} in an extension: ${instead}.`);
}
