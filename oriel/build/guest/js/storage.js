/**
 * Key-value records of this install alone. Needs `storage.kv`.
 *
 * Values are text, a Uint8Array, or anything that can be written as JSON. Every record has a revision, so that two
 * requests at the same time cannot lose each other's change: pass it back with `ifRevision`, or use `update`.
 */
import * as wit from 'oriel:extension/storage@1.0.0';
import { toBody, toBytes, toText } from './bodies.js';
import { Conflict, call } from './errors.js';

const PAGE = 100;
const ATTEMPTS = 5;

/**
 * @typedef {object} Conditions
 * @property {boolean} [ifAbsent] only where no record has the key
 * @property {number} [ifRevision] only where the stored revision is this one
 * @property {number} [ttl] seconds to live; left out, the record stays
 */

/** One record. */
export class Entry {
  /** @param {{key: string, value: import('./bodies.js').Body, revision: bigint, expiresAt?: bigint}} wit */
  constructor({ key, value, revision, expiresAt }) {
    this.key = key;
    /** 1 for a new record, one more with every write. */
    this.revision = Number(revision);
    /** When the record goes by itself; null keeps it. */
    this.expiresAt = expiresAt === undefined || expiresAt === null ? null : new Date(Number(expiresAt));
    /** @private */
    this._value = value;
  }

  bytes() {
    return toBytes(this._value);
  }

  text() {
    return toText(this._value);
  }

  /** @returns {any} */
  json() {
    return JSON.parse(this.text() ?? '');
  }
}

/**
 * The record, or null.
 * @param {string} key
 */
export function get(key) {
  const entry = call(() => wit.get(key));
  return entry ? new Entry(entry) : null;
}

/**
 * The records there are, in the order of the keys; at most 100 keys.
 * @param {Iterable<string>} keys
 * @returns {Entry[]}
 */
export function getMany(keys) {
  return call(() => wit.getMany([...keys])).map((/** @type {any} */ entry) => new Entry(entry));
}

/**
 * Write a record and return its new revision. `Conflict` where the condition does not hold.
 * @param {string} key 1 to 512 bytes of UTF-8 without control characters
 * @param {unknown} value up to 256 KiB
 * @param {Conditions} [conditions]
 */
export function put(key, value, conditions = {}) {
  return Number(call(() => wit.put(toWrite({ key, value, ...conditions }))));
}

/**
 * All writes or none; at most 25. The new revisions, in order.
 * @param {Iterable<{key: string, value: unknown} & Conditions>} writes
 * @returns {number[]}
 */
export function putMany(writes) {
  return [...call(() => wit.putMany(Array.from(writes, toWrite)))].map(Number);
}

/**
 * Remove a record; says whether there was one.
 * @param {string} key
 * @param {{ifRevision?: number}} [conditions]
 * @returns {boolean}
 */
export function remove(key, { ifRevision } = {}) {
  return call(() => wit.delete(key, condition({ ifRevision })));
}

/**
 * One page of the records whose keys start with `prefix`, ordered by key; `cursor` goes on, null is the end.
 * @param {string} [prefix]
 * @param {{cursor?: string | null, limit?: number}} [options] `limit` is 1 to 100
 * @returns {{entries: Entry[], cursor: string | null}}
 */
export function list(prefix = '', { cursor = null, limit = PAGE } = {}) {
  const page = call(() => wit.list(prefix, cursor ?? undefined, limit));
  return { entries: page.entries.map((/** @type {any} */ entry) => new Entry(entry)), cursor: page.cursor ?? null };
}

/**
 * Every record whose key starts with `prefix`, in order. Each hundred is one host call, and each record one of the
 * execution's key-value operations (200 by default): for what may grow, answer in pages with `list`.
 * @param {string} [prefix]
 * @returns {Generator<Entry, void, void>}
 */
export function* scan(prefix = '') {
  /** @type {string | null} */
  let cursor = null;
  do {
    const page = list(prefix, { cursor });
    yield* page.entries;
    cursor = page.cursor;
  } while (cursor !== null);
}

/**
 * Read a JSON record, change it, write it, and begin again where somebody else was quicker. `Conflict` after five
 * attempts.
 * @template T
 * @param {string} key
 * @param {(value: any) => T} change takes the stored value, or null; it may run several times
 * @returns {T}
 */
export function update(key, change) {
  for (let attempt = 1; ; attempt += 1) {
    const entry = get(key);
    const value = change(entry ? entry.json() : null);
    try {
      put(key, JSON.stringify(value), entry ? { ifRevision: entry.revision } : { ifAbsent: true });
      return value;
    } catch (error) {
      if (!(error instanceof Conflict) || attempt === ATTEMPTS) throw error;
    }
  }
}

/** @param {{key: string, value: unknown} & Conditions} write */
function toWrite({ key, value, ttl, ...conditions }) {
  const plain = typeof value === 'string' || value instanceof Uint8Array ? value : JSON.stringify(value);
  return { key, value: toBody(plain), when: condition(conditions), ttlSeconds: ttl };
}

/** @param {Conditions} conditions */
function condition({ ifAbsent = false, ifRevision }) {
  if (ifAbsent && ifRevision !== undefined) throw new TypeError('ifAbsent and ifRevision cannot both hold');
  if (ifAbsent) return { tag: 'absent' };
  return ifRevision === undefined ? { tag: 'always' } : { tag: 'revision', val: BigInt(ifRevision) };
}
