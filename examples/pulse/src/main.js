/** Pulse: the endpoints that manifest.json declares. */
import { App, HostError, Problem, context, events, json } from 'oriel';
import { alert } from './alert.js';
import * as answers from './answers.js';
import * as asking from './asking.js';
import * as digest from './digest.js';
import { added, netPromoterScore, total } from './score.js';

const app = new App();

app.get('/board', () => {
  const weeks = answers.weeks().map(({ start, counts }) => ({ start, counts, score: netPromoterScore(counts) }));
  const counts = added(weeks.map((week) => week.counts));
  return {
    question: context.setting('question', 'How likely are you to recommend us to a friend?'),
    score: netPromoterScore(counts),
    answers: total(counts),
    counts,
    weeks: weeks.map(({ start, score, counts: own }) => ({ start, score, answers: total(own) })),
  };
});

app.get('/answers', (request) => answers.page(request.args.get('cursor')));

app.post('/answers', (request) => {
  const form = request.json();
  if (typeof form !== 'object' || form === null) throw new Problem(400, 'The body is not a JSON object.', 'malformed_body');
  const answer = answers.keep(form);
  tell(answer);
  return json({ ...answer, alert: alert(answer) }, { status: 201 });
});

app.delete('/answers/:id', (request) => answers.forget(request.params.id));

app.get('/to-ask', () => ({ orders: asking.open() }));

app.get('/digest', () => ({ digest: digest.last() }));

app.post('/on-delivery', (request) => asking.note(request.json()));

app.post('/digest', () => digest.write());

/**
 * Tell other extensions of an unhappy customer, where they may be told. The answer is kept all the same.
 * @param {answers.Answer} answer
 */
function tell({ id, score, customer }) {
  if (score > context.setting('alert_at', 4)) return;
  try {
    events.emit('customer.unhappy', { answer: id, score, customer }, { key: customer || id });
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
  }
}

export default app;
