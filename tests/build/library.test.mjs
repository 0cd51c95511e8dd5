/** The pure parts of the guest library for JavaScript, in plain Node.js. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { App } from '../../oriel/build/guest/js/app.js';
import { toBody, toBytes, toText } from '../../oriel/build/guest/js/bodies.js';
import { Conflict, Denied, HostError, Problem, call } from '../../oriel/build/guest/js/errors.js';
import { Headers, Request, Response, json, lift, lower, toResponse } from '../../oriel/build/guest/js/messages.js';

// The engine of components has them; Node.js 24 has not.
Uint8Array.fromBase64 ??= (text) => new Uint8Array(Buffer.from(text, 'base64'));
Uint8Array.prototype.toBase64 ??= function () { return Buffer.from(this).toString('base64'); };

const silent = { warn() {}, error() {} };
const answer = (app, method, path) => app.handle(new Request({ method, path }), silent);

test('literal segments win over parameters, whatever the order', async () => {
  const app = new App().get('/items/:id', ({ params }) => params.id).get('/items/new', () => 'literal');
  assert.equal((await answer(app, 'GET', '/items/new')).body, 'literal');
  assert.equal((await answer(app, 'GET', '/items/7')).body, '7');
});

test('a second function for the same route is an error', () => {
  const app = new App().get('/a/:id', () => '');
  assert.throws(() => app.get('/a/:name', () => ''), /already/);
  app.get('/a/b', () => '').post('/a/:id', () => '');
});

test('what a function returns or promises becomes a response', async () => {
  assert.equal(toResponse(undefined).status, 204);
  assert.equal(toResponse({ a: 1 }).body, '{"a":1}');
  assert.equal(toResponse(Uint8Array.of(1)).headers.get('content-type'), 'application/octet-stream');
  const app = new App().get('/', async () => 'later');
  assert.equal((await answer(app, 'GET', '/')).body, 'later');
});

test('a failure is a 500 whose text is in the log alone', async () => {
  const lines = [];
  const log = { warn: (...line) => lines.push(line), error: (...line) => lines.push(line) };
  const app = new App().get('/', () => { throw new Error('inside'); });
  const { status, body } = await app.handle(new Request({ method: 'GET', path: '/' }), log);
  assert.equal(status, 500);
  assert.ok(!body.includes('inside'));
  assert.match(lines[0][0], /Error: inside/);
});

test('an unknown path is a 404 and another method a 405', async () => {
  const app = new App().post('/a', () => '');
  assert.equal((await answer(app, 'GET', '/b')).status, 404);
  assert.equal((await answer(app, 'GET', '/a')).status, 405);
});

test('a result error of the host is thrown as the class of its kind', () => {
  const fail = (tag) => () => call(() => { throw Object.assign(new Error(), { payload: { tag, val: 'No.' } }); });
  assert.throws(fail('denied'), (error) => error instanceof Denied && error.status === 403);
  assert.throws(fail('conflict'), Conflict);
  assert.throws(fail('something-new'), (error) => error.constructor === HostError && error.detail === 'No.');
  assert.throws(() => call(() => { throw new TypeError('x'); }), TypeError);
});

test('bodies cross as text where they are text, else as base64, and come back whole', () => {
  const tags = [[], [104, 105], [0xc3, 0xbc], [0xff], [0xef, 0xbb, 0xbf, 0x61]].map((bytes) => {
    const body = toBody(Uint8Array.from(bytes));
    assert.deepEqual([...toBytes(body)], bytes);
    return body.tag;
  });
  assert.deepEqual(tags, ['empty', 'text', 'text', 'base64', 'base64']);
  assert.equal(toText({ tag: 'bytes', val: Uint8Array.of(0xff) }), null);
});

test('a large binary body does not overflow the stack', () => {
  const bytes = new Uint8Array(2_000_000).fill(0xfe);
  assert.deepEqual(toBytes(toBody(bytes)), bytes);
});

test('headers keep repeats and take no notice of case', () => {
  const headers = new Headers([['X-Tag', 'a'], ['x-tag', 'b']]);
  assert.deepEqual(headers.getAll('X-TAG'), ['a', 'b']);
  assert.equal(headers.get('none'), null);
  assert.equal(new Response('<p>', { headers: { 'Content-Type': 'text/html' } }).headers.get('content-type'), 'text/html');
});

test('requests and responses cross the boundary and back', () => {
  const wit = { method: 'GET', path: '/a', query: 'q=%C3%BC', route: '/:x', params: [{ name: 'x', value: 'a' }], headers: [{ name: 'accept', value: '*/*' }], body: { tag: 'text', val: '{"a":1}' } };
  const request = lift(wit);
  assert.equal(request.args.get('q'), 'ü');
  assert.deepEqual([request.params, request.json()], [{ x: 'a' }, { a: 1 }]);
  assert.deepEqual(lower(json([], { status: 201 })), {
    status: 201, headers: [{ name: 'content-type', value: 'application/json' }], body: { tag: 'text', val: '[]' },
  });
});

test('a body that is not JSON is a 400', () => {
  const request = new Request({ method: 'POST', path: '/', body: { tag: 'text', val: '{' } });
  assert.throws(() => request.json(), (error) => error instanceof Problem && error.status === 400);
});
