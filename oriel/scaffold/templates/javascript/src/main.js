/** The endpoints that manifest.json declares. What needs no host stands in notes.js, where plain Node.js can test it. */
import { App, Problem, context, json, storage } from 'oriel';
import { PREFIX, SHOWN, checked, newestFirst } from './notes.js';

const app = new App();

app.get('/notes', () => ({ notes: storage.list(PREFIX, { limit: SHOWN }).entries.map((entry) => entry.json()) }));

app.post('/notes', (request) => {
  const text = checked(request.json()?.text);
  if (text === null) throw new Problem(422, "'text' must have 1 to 280 characters.", 'invalid_note', { field: 'text' });
  const note = { id: newestFirst(Date.now(), context.randomU64()), text };
  storage.put(PREFIX + note.id, note, { ifAbsent: true });
  return json(note, { status: 201 });
});

app.delete('/notes/:id', (request) => {
  if (!storage.remove(PREFIX + request.params.id)) throw new Problem(404, 'There is no such note.', 'not_found');
});

export default app;
