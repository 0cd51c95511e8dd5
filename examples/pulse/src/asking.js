/**
 * Whom to ask: customers whose order has just been delivered. The product tells so with the event `order.delivered`,
 * which may come more than once, and is written down once.
 */
import { Conflict, Problem, storage } from 'oriel';
import { DAY_MS } from './score.js';

const DAYS = 30;
const PAGE = 50;

/** @param {{id: string, time: string, data: {order?: unknown, customer?: unknown}}} event */
export function note({ time, data: { order, customer } }) {
  if (typeof order !== 'string' || typeof customer !== 'string') {
    throw new Problem(422, "The event has no 'order' and 'customer'.", 'invalid_event');
  }
  try {
    const value = { order, customer, delivered_at: time };
    storage.put(`ask/${order}`, value, { ifAbsent: true, ttl: DAYS * (DAY_MS / 1000) });
  } catch (error) {
    if (!(error instanceof Conflict)) throw error;
  }
}

/** Those who have not been asked yet, by order. */
export function open() {
  return storage.list('ask/', { limit: PAGE }).entries.map((entry) => entry.json());
}
