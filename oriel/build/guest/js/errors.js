/**
 * What can go wrong. A `Problem` is what an extension answers with on purpose; a `HostError` is what a host function
 * answered instead of a value. One that a handler lets through becomes an answer: a `Problem` its own, a `HostError`
 * its `status`, anything else a 500 whose stack is in the log.
 */

/** An RFC 9457 answer: `throw new Problem(404, 'There is no such note.')`. */
export class Problem extends Error {
  /**
   * @param {number} status 400 to 599
   * @param {string} detail one sentence for the person who asked
   * @param {string} [code] a stable name for programs, `over_limit`
   * @param {Record<string, unknown>} [extra] further members of the problem object
   */
  constructor(status, detail, code, extra = {}) {
    super(detail);
    this.name = 'Problem';
    this.status = status;
    this.detail = detail;
    this.code = code;
    this.extra = extra;
  }
}

/** A host function's refusal. */
export class HostError extends Error {
  /** What a handler that lets it through answers with. */
  status = 500;

  /**
   * @param {string} kind the case of the interface's `error` variant, `limit-exceeded`
   * @param {string} detail the host's own sentence
   */
  constructor(kind, detail) {
    super(`${kind}: ${detail}`);
    this.name = new.target.name;
    this.kind = kind;
    this.detail = detail;
  }
}

/** The tenant has not granted the capability, or not for this host. */
export class Denied extends HostError { status = 403; }

/** The record has changed meanwhile. */
export class Conflict extends HostError { status = 409; }

/** An argument is not valid. */
export class Invalid extends HostError {}

/** A limit of size, number or budget. */
export class LimitExceeded extends HostError {}

/** The host cannot do it now, or there is nobody to ask about. */
export class Unavailable extends HostError { status = 503; }

/** The secret may be referred to but not read. */
export class ReferenceOnly extends HostError {}

/** The other server was not reached or did not answer properly: `dns`, `connect`, `tls`, `timeout`, `protocol`. */
export class FetchFailed extends HostError { status = 502; }

/** What the product itself answered: its HTTP status, and the code of its problem object, empty without one. */
export class OperationFailed extends HostError {
  status = 502;

  /** @param {{status: number, code: string, detail: string}} failure */
  constructor({ status, code, detail }) {
    super('host-error', detail);
    this.productStatus = status;
    this.code = code;
  }
}

/** @type {Record<string, typeof HostError>} */
const BY_KIND = {
  denied: Denied,
  conflict: Conflict,
  invalid: Invalid,
  'invalid-request': Invalid,
  'invalid-input': Invalid,
  'unknown-operation': Unavailable,
  loop: LimitExceeded,
  'limit-exceeded': LimitExceeded,
  'too-large': LimitExceeded,
  'too-many-redirects': LimitExceeded,
  'budget-exceeded': LimitExceeded,
  unavailable: Unavailable,
  'not-available': Unavailable,
  'reference-only': ReferenceOnly,
  dns: FetchFailed,
  connect: FetchFailed,
  tls: FetchFailed,
  timeout: FetchFailed,
  protocol: FetchFailed,
};

/**
 * The result of a host function; its `err` thrown as a `HostError`.
 * @template T
 * @param {() => T} ask
 * @returns {T}
 */
export function call(ask) {
  try {
    return ask();
  } catch (error) {
    const { tag, val } = /** @type {any} */ (error)?.payload ?? {};
    if (typeof tag !== 'string') throw error;
    if (tag === 'host-error') throw new OperationFailed(val);
    throw new (BY_KIND[tag] ?? HostError)(tag, String(val ?? tag));
  }
}
