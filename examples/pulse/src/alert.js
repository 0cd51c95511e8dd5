/** A message to the team's channel about an unhappy customer. It may fail; the answer is kept all the same. */
import { HostError, context, http, log, secrets } from 'oriel';

const TIMEOUT_MS = 3_000;

/**
 * @param {import('./answers.js').Answer} answer
 * @returns {'off' | 'sent' | 'failed'}
 */
export function alert({ score, customer, comment }) {
  const url = context.setting('webhook_url', '');
  if (!url || score > context.setting('alert_at', 4)) return 'off';
  const message = `${customer || 'A customer'} gave ${score} of 10${comment ? `: ${comment}` : '.'}`;
  try {
    // The host fills the token in, for the host it belongs to. This code never sees it.
    const headers = { authorization: `Bearer ${secrets.reference('WEBHOOK_TOKEN')}` };
    http.fetch(url, { method: 'POST', headers, json: { text: message }, timeoutMs: TIMEOUT_MS }).raiseForStatus();
    return 'sent';
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    log.warn('the alert was not sent', { kind: error.kind, detail: error.detail });
    return 'failed';
  }
}
