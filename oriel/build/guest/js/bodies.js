/**
 * Bodies in the form that crosses the boundary fastest: text where it is text, also for bytes that are UTF-8; else
 * base64, by the engine's own functions. A `list<u8>` costs the host 32 bytes a byte, so it is never sent.
 */

/** @typedef {{tag: 'empty'} | {tag: 'text' | 'base64', val: string} | {tag: 'bytes', val: Uint8Array}} Body */

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
  // @ts-expect-error: newer than the type library
  return { tag: 'base64', val: content.toBase64() };
}

/**
 * @param {Body} body
 * @returns {Uint8Array}
 */
export function toBytes(body) {
  switch (body.tag) {
    case 'empty': return new Uint8Array();
    case 'text': return encoder.encode(body.val);
    // @ts-expect-error: newer than the type library
    case 'base64': return Uint8Array.fromBase64(body.val);
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

/** @param {Uint8Array} bytes */
function startsWithMark([first, second, third]) {
  return first === 0xef && second === 0xbb && third === 0xbf;
}
