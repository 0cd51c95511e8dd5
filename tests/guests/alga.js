/**
 * A component of `alga:extension` that does what it is told: a request whose body is
 *
 *     {"interface": "storage", "function": "put", "args": […]}
 *
 * calls that import and answers `{"ok": result}` or `{"err": payload}`; one without a body is answered as it came.
 * Bytes are `{"$bytes": [1, 2]}`, many of them `{"$size": 2000}`; 64-bit numbers are `{"$u64": "1"}`.
 */
import * as clients from 'alga:extension/clients';
import * as context from 'alga:extension/context';
import * as http from 'alga:extension/http';
import * as invoicing from 'alga:extension/invoicing';
import * as logging from 'alga:extension/logging';
import * as scheduler from 'alga:extension/scheduler';
import * as secrets from 'alga:extension/secrets';
import * as services from 'alga:extension/services';
import * as storage from 'alga:extension/storage';
import * as uiProxy from 'alga:extension/ui-proxy';
import * as user from 'alga:extension/user';
import * as userV2 from 'alga:extension/user-v2';

const INTERFACES = {
  clients, context, http, invoicing, logging, scheduler, secrets, services, storage, 'ui-proxy': uiProxy, user, 'user-v2': userV2,
};

export function handler(request) {
  const { body } = request.http;
  return answer(body?.length ? ask(JSON.parse(new TextDecoder().decode(body), revive)) : { ok: request });
}

function ask({ interface: name, function: member, args }) {
  try {
    return { ok: INTERFACES[name][member](...args) };
  } catch (error) {
    if (error?.payload === undefined) throw error;
    return { err: error.payload };
  }
}

function answer(value) {
  return {
    status: 200,
    headers: [{ name: 'content-type', value: 'application/json' }],
    body: new TextEncoder().encode(JSON.stringify(value, replace)),
  };
}

function revive(_key, value) {
  if (value?.$bytes) return Uint8Array.from(value.$bytes);
  if (value?.$u64) return BigInt(value.$u64);
  return value ?? undefined;
}

function replace(_key, value) {
  if (ArrayBuffer.isView(value)) return value.length > 1_000 ? { $size: value.length } : { $bytes: [...value] };
  return typeof value === 'bigint' ? { $u64: String(value) } : value;
}
