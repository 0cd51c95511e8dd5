/** Everything that the guest library says of itself, to be asked from outside. */
import {
  App, Conflict, HostError, Problem, Response, context, host, http, log, metrics, secrets, storage, user,
} from 'oriel';

const app = new App();
const BUILT_AT = Date.now() / 1000;

app.get('/clock', () => ({
  time: Date.now() / 1000,
  now: new Date(),
  context: new Date(context.nowMs()),
  built: BUILT_AT,
  parsed: new Date('2026-11-24'),
}));

app.get('/random', () => [
  Math.random(), crypto.randomUUID(), crypto.getRandomValues(new Uint8Array(8)).join(), String(context.randomU64()), context.newId(),
]);

app.get('/log', async () => {
  console.log('printed', { a: 1 });
  console.warn('logged', 1);
  log.info('emitted', { number: 7 });
});

app.get('/fault/:kind', ({ params: { kind } }) => {
  if (kind === 'exception') return null.nothing;
  if (kind === 'sleep') return setTimeout(() => {}, 10_000);
  if (kind === 'fetch') return fetch('https://api.acme.example/');
  throw new Problem(418, 'I am a teapot.', 'teapot', { pot: 'small' });
});

app.get('/context', (request) => ({
  info: context.get(),
  settings: context.settings(),
  typed: [context.setting('text', ''), context.setting('number', 0), context.setting('list', ['x'])],
  flag: context.setting('flag', false),
  other: [context.setting('nothing', 5), context.setting('number', 'as text'), context.setting('text', ['no'])],
  user: user.get()?.label ?? null,
  args: [...request.args],
  header: request.headers.get('Content-Type'),
}));

app.post('/echo', (request) => {
  const bytes = request.bytes();
  return new Response(bytes, { headers: { 'content-type': request.headers.get('content-type'), 'x-ext-size': bytes.length } });
});

app.post('/storage', () => {
  const revision = storage.put('a/text', 'grüß', { ifAbsent: true });
  storage.put('a/bytes', Uint8Array.of(255, 0));
  storage.put('a/json', { n: 1 }, { ttl: 60 });
  storage.putMany(Array.from({ length: 20 }, (_, n) => ({ key: `b/${String(n).padStart(3, '0')}`, value: n })));
  let conflict = '';
  try {
    storage.put('a/text', 'other', { ifRevision: 9 });
  } catch (error) {
    if (error instanceof Conflict) conflict = error.kind;
  }
  storage.update('a/count', (value) => (value ?? 0) + 1);
  return {
    revision,
    conflict,
    text: storage.getMany(['a/text', 'a/none'])[0].text(),
    bytes: [...storage.get('a/bytes').bytes()],
    expires: storage.get('a/json').expiresAt,
    count: storage.update('a/count', (value) => value + 1),
    page: storage.list('b/', { limit: 3 }).entries.map(({ key }) => key),
    scan: [...storage.scan('b/')].length,
    deleted: [storage.remove('a/json'), storage.remove('a/json')],
    gone: storage.get('a/json') === null,
  };
});

app.get('/refused', () => {
  const kinds = [
    () => http.fetch('https://elsewhere.example/'),
    () => http.fetch('not a url'),
    () => storage.put('', 'x'),
    () => storage.list('', { limit: 0 }),
  ].map((attempt) => {
    try {
      attempt();
      return '';
    } catch (error) {
      return error instanceof HostError ? error.name : String(error);
    }
  });
  return [...kinds, secrets.get('NONE') ?? 'None', secrets.reference('TOKEN'), ...secrets.names()];
});

app.get('/metrics', () => {
  metrics.count('asked_total', 2, { kind: 'a' });
  metrics.count('asked_total', 1, { kind: 'a' });
  metrics.gauge('depth', 7);
  metrics.observe('took_seconds', 0.02);
  try {
    metrics.count('not a name');
  } catch (error) {
    return error.name;
  }
});

app.get('/host/:operation', ({ params: { operation } }) => host.call(operation, { n: 1 }));

app.get('/items/:id', (request) => request.params);

export default app;
