/** What the benchmarks call: an answer of a few bytes, and the body sent back as it came. */
import { App, Response } from 'oriel';

const app = new App();

app.get('/hello', () => ({ message: 'hello' }));

app.post('/text', (request) => new Response(request.text()));

app.post('/bytes', (request) => new Response(request.bytes()));

export default app;
