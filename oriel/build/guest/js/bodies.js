/**
 * Bodies in the form that crosses the boundary fastest: text where it is text, also for bytes that are UTF-8; else a
 * binary string. A `list<u8>` costs the host 32 bytes a byte, so it is never sent.
 */

/** @typedef {{tag: 'empty'} | {tag: 'text' | 'binary', val: string} | {tag: 'bytes', val: Uint8Array}} Body */

const utf16 = new TextDecoder('utf-16le');
const strict = new TextDecoder('utf-8', { fatal: true });
const encoder = new TextEncoder();

/**
 * @param {string | Uint8Array | null | undefined} content
 * @returns {Body}
 */
export function toBody(content) {
  if (!content || content.length === 0) return { tag: 'empty' };
  if (typeof content === 'string') return { tag: 'text', val: content };
  try {
    // The engine's decoder takes a byte order mark away, whatever it is told.
    if (!startsWithMark(content)) return { tag: 'text', val: strict.decode(content) };
  } catch {
    // not UTF-8
  }
  return { tag: 'binary', val: latin1(content) };
}

/**
 * @param {Body} body
 * @returns {Uint8Array}
 */
export function toBytes(body) {
  switch (body.tag) {
    case 'empty': return new Uint8Array();
    case 'text': return encoder.encode(body.val);
    case 'binary': return fromLatin1(body.val);
    default: return body.val;
  }
}

/**
 * The body as text; null where it is not UTF-8.
 * @param {Body} body
 * @returns {string | null}
 */
export function toText(body) {
  if (body.tag === 'text') return body.val;
  try {
    return strict.decode(toBytes(body));
  } catch {
    return null;
  }
}

/**
 * By the engine's own base64: a loop over characters takes ten times as long.
 * @param {string} text
 * @returns {Uint8Array}
 */
function fromLatin1(text) {
  // @ts-expect-error: newer than the type library
  return Uint8Array.fromBase64(btoa(text));
}

/** @param {Uint8Array} bytes */
function startsWithMark([first, second, third]) {
  return first === 0xef && second === 0xbb && third === 0xbf;
}

/** @param {Uint8Array} bytes */
function latin1(bytes) {
  return utf16.decode(new Uint16Array(bytes));
}
