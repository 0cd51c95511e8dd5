// Says what the answer depends on, and that a part is not the whole. Constants are put before this.
function handler(event) {
  var response = event.response;
  var headers = response.headers;
  var cached = headers['cache-control'];
  if (response.statusCode === 206 && cached && cached.value === WHOLE) headers['cache-control'] = { value: PART };
  var type = headers['content-type'] ? headers['content-type'].value : '';
  var names = SHRINKING.indexOf(type) < 0 ? [] : ['accept-encoding'];
  if (type.indexOf('text/html') === 0) names.push('sec-fetch-mode', 'accept');
  if (names.length) headers.vary = { value: names.join(', ') };
  return response;
}
