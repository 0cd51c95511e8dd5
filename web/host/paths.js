/**
 * Paths that strangers write: an extension's call to its handler, its place in the product, its document.
 *
 * Rules kept here:
 * - A path is decoded once, segment by segment, and built anew from what came out. Nothing is joined as text.
 * - It is the gateway's own rule (`oriel/paths.py`): after decoding no segment is empty or begins with a dot, none holds
 *   a slash, a backslash, `;`, a control character or a second escape, also after compatibility normalisation (NFKC).
 */
import { BridgeError } from './errors.js';

const MAX_PATH = 4096;
const MAX_SEGMENT = 1024;
const MAX_SEGMENTS = 64;
const FORBIDDEN = /[\u0000-\u001f\u007f-\u009f/\\;\u2028\u2029]/;
const BROKEN_TEXT = /\p{Surrogate}/u;
const ESCAPE = /%[0-9A-Fa-f]{2}/;
const FORBIDDEN_IN_QUERY = /[\u0000-\u0020\u007f-\u009f\\]/;

/**
 * @typedef {object} CleanPath
 * @property {string[]} segments decoded, none empty
 * @property {string} pathname `/` and the segments, encoded; a slash at the end is kept
 * @property {string} query with its question mark, or empty
 */

/**
 * @param {string} path for example `/reports/7?full=1`; a leading slash may be missing
 * @returns {CleanPath}
 * @throws {BridgeError} `invalid_path`
 */
export function cleanPath(path) {
  if (path.length > MAX_PATH) throw invalid(`it is longer than ${MAX_PATH} characters`);
  if (path.includes('#') || BROKEN_TEXT.test(path)) throw invalid('it holds a fragment or broken text');
  const mark = path.indexOf('?');
  const raw = mark < 0 ? path : path.slice(0, mark);
  const query = mark < 0 ? '' : path.slice(mark);
  if (FORBIDDEN_IN_QUERY.test(query)) throw invalid('its query holds a character that must be encoded');
  const [, body, end] = /** @type {RegExpExecArray} */ (/^\/?(.*?)(\/?)$/s.exec(raw));
  const segments = body === '' && end === '' ? [] : body.split('/').map(cleanSegment);
  if (segments.length > MAX_SEGMENTS) throw invalid(`it has more than ${MAX_SEGMENTS} segments`);
  const pathname = `/${segments.map(encodeURIComponent).join('/')}${end}`;
  return { segments, pathname, query: query === '?' ? '' : query };
}

/** @param {string} raw */
function cleanSegment(raw) {
  if (raw === '') throw invalid('a segment is empty');
  if (raw.length > MAX_SEGMENT) throw invalid(`a segment is longer than ${MAX_SEGMENT} characters`);
  const segment = decode(raw);
  for (const text of [segment, segment.normalize('NFKC')]) {
    if (text.startsWith('.')) throw invalid('a segment begins with a dot');
    if (FORBIDDEN.test(text)) throw invalid('a segment holds a character that paths may not have');
    if (ESCAPE.test(text)) throw invalid('a segment is percent-encoded twice');
  }
  return segment;
}

/** @param {string} raw */
function decode(raw) {
  try {
    return decodeURIComponent(raw);
  } catch {
    throw invalid('a segment is not valid UTF-8');
  }
}

/** @param {string} reason */
function invalid(reason) {
  return new BridgeError('invalid_path', `The path is not allowed: ${reason}.`);
}
