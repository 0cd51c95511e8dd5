// Finds the object of a request, by the rules of oriel/paths.py and oriel/ui.py. Constants are put before this.
var EXTENSION = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$/;
var HASH = /^sha256:[0-9a-f]{64}$/;

function handler(event) {
  var request = event.request;
  if (request.method !== 'GET' && request.method !== 'HEAD') return problem(405, 'method_not_allowed');
  var segments = clean(request.uri);
  if (segments === null) return problem(400, 'invalid_path');
  if (segments[0] === 'oriel' && segments.length > 1) return at(request, segments);
  if (segments.length < 3 || segments[0] !== 'ext-ui') return problem(404, 'not_found');
  if (!EXTENSION.test(segments[1]) || !HASH.test(segments[2])) return problem(404, 'not_found');
  var last = segments.length > 3 ? segments[segments.length - 1] : '';
  if (suffix(last) === '') {
    if (!isNavigation(request.headers)) return problem(404, 'not_found');
    segments = segments.slice(0, 3).concat('index.html');
    last = 'index.html';
  }
  var encoding = SHRINKING.indexOf(suffix(last)) < 0 ? '' : encodingOf(request.headers['accept-encoding']);
  segments[2] = segments[2].slice(7) + encoding;
  return at(request, segments);
}

function at(request, segments) {
  request.uri = '/' + segments.map(encodeURIComponent).join('/');
  request.querystring = {};
  return request;
}

function clean(uri) {
  if (uri.length > MAX_PATH || !/^\/[\x21-\x7e]*$/.test(uri)) return null;
  var parts = uri === '/' ? [] : uri.slice(1).replace(/\/$/, '').split('/');
  if (parts.length > MAX_SEGMENTS) return null;
  for (var i = 0; i < parts.length; i++) {
    parts[i] = decoded(parts[i]);
    if (parts[i] === null) return null;
  }
  return parts;
}

function decoded(part) {
  if (part === '' || part.length > MAX_SEGMENT) return null;
  var text;
  try {
    text = decodeURIComponent(part);
  } catch (error) {
    return null;
  }
  if (text[0] === '.' || DOTS.indexOf(text[0]) >= 0) return null;
  if (/[\x00-\x1f\x7f-\x9f\/\\;\u2028\u2029]|%[0-9A-Fa-f]{2}/.test(text)) return null;
  for (var i = 0; i < text.length; i++) if (FORBIDDEN.indexOf(text[i]) >= 0) return null;
  return text;
}

function suffix(name) {
  var dot = name.lastIndexOf('.');
  return dot > 0 && dot < name.length - 1 ? name.slice(dot).toLowerCase() : '';
}

function isNavigation(headers) {
  if (headers['sec-fetch-mode']) return headers['sec-fetch-mode'].value === 'navigate';
  return headers.accept !== undefined && headers.accept.value.indexOf('text/html') >= 0;
}

function encodingOf(header) {
  var taken = {};
  (header ? header.value.toLowerCase() : '').split(',').forEach(function (part) {
    var pieces = part.split(';');
    taken[pieces[0].trim()] = !/^\s*q\s*=\s*0(\.0*)?\s*$/.test(pieces[1] || '');
  });
  var takes = function (name) {
    return taken[name] === undefined ? taken['*'] === true : taken[name];
  };
  return takes('br') ? '.br' : takes('gzip') ? '.gzip' : '';
}

function problem(status, code) {
  var headers = Object.assign({}, HEADERS, { 'content-type': { value: 'application/problem+json' } });
  if (status === 405) headers.allow = { value: 'GET, HEAD' };
  var body = JSON.stringify({ type: DOCS + code, title: code, status: status, code: code });
  return { statusCode: status, headers: headers, body: { encoding: 'text', data: body } };
}
