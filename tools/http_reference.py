"""The HTTP reference, from the apps themselves: `python tools/reference.py` writes it to docs/reference/http.md.

Rules kept here:

- Routes, bodies, parameters and permissions are read off the running apps, built over an empty store in a folder of
  their own. What an answer holds is what the registry's own views make of one record of each kind.
- A route without a line in `ANSWERS`, and a line without a route, end the generation.
"""

import json
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from http_samples import samples
from starlette.applications import Starlette
from starlette.routing import Route

from gateway.description import PATH, describe, session_ask
from gateway.messages import SESSION_PATH
from oriel.blobs.opening import open_blobs
from oriel.contract import ExecuteRequest, ExecuteResponse
from oriel.errors import OrielError
from oriel.identity import DEFAULT_ROLES
from oriel.identity.session import KEYS_PATH, LIFETIME_SECONDS
from oriel.keyring import Keyring
from oriel.sealing import Sealer
from oriel.settings import Settings
from oriel.signing import SigningKey, TrustBundle
from oriel.store.opening import open_store
from registry.app import create_app as registry_app
from registry.core import Registry
from registry.routes.caller import Permitted, authenticated
from runner.app import EXECUTE
from runner.assembly import build_app

Json = dict[str, Any]

INTRO = """# HTTP

On one machine gateway and registry answer on one origin, by default `http://127.0.0.1:8420`. JSON in and out; every
refusal is a problem of [errors](errors.md); every answer carries `x-request-id`. Times are Unix milliseconds, in the
registry's answers as in its requests. Unknown fields of a body are refused.

A route that wants a permission takes `authorization: Bearer TOKEN`: a JSON Web Token of the configured issuer (see the
[operator's guide](../guides/operator.md#who-may-do-what)), or an API key. The tenant is the token's; no body, path or
header names another. A key that is bound to an extension is taken where the path names that extension, nowhere else.

| permission | roles that carry it |
|---|---|
"""
LISTS = """
Listings answer `{"items": […], "cursor": …}`. A `cursor` that is not null goes into the request for the next page. No
answer is kept by a cache (`cache-control: no-store`).
"""
GATEWAY = """
Only what the version's manifest declares under `api.endpoints` is reached; an endpoint may narrow its callers to
roles. Of the request pass the body, the query unchanged, and the headers `accept`, `accept-language`,
`content-language`, `content-type`, `idempotency-key`, `if-match`, `if-modified-since`, `if-none-match`,
`if-unmodified-since`, `prefer`
and `x-ext-*`. Of the answer pass status, body, `content-type`, `content-disposition`, `etag`, the safe part of
`cache-control`, and `x-ext-*`. The gateway adds `x-ext-execution-id`, under which the execution is found later,
`server-timing`, and for callers with the permission `observe` `x-ext-receipt`: what it used, as a dictionary of
structured fields (RFC 9651).

With `x-ext-record: 1` and the permission `record` the execution is kept whole, as a sealed fixture; `x-ext-recorded`
says `kept`, or why not: `too_large`, `secret_too_short`, `unavailable`.

Answers say what is left of the tenant's and the install's rate and invocations in `ratelimit-policy` and `ratelimit`
(draft-ietf-httpapi-ratelimit-headers: `q` allowed, `w` in so many seconds, `r` left, `t` seconds until all is back).
Beyond it, 429 with `retry-after`; the problem has `scope` (`tenant` or `install`), `limit`, `allowed` and `left`.

POST, PUT, PATCH and DELETE take `idempotency-key` (draft-ietf-httpapi-idempotency-key-header): one execution for all
requests of one caller to one route with the same key, whose answer is kept for 24 hours and given again with
`idempotency-replayed: true`. 409 `request_in_progress` while it runs, 422 `key_reused` for another path, query, type or
body, 409 `answer_not_kept` where the answer had over 256 KB. 429 and 503 of the platform are not kept.
"""
SESSIONS = f"""
A session token tells the extension's own backend who is there. It is a JSON Web Token (EdDSA) that lives
{LIFETIME_SECONDS} seconds: `iss` is the platform's address, `aud` the extension's id, `tenant` and `install` say for
whom. `sub` is the user's id where the install has the grant `user.read`, else a pseudonym that is stable within the
install. Nothing of Oriel's takes it.
"""
RUNNER = """
Inside the platform only: on one machine it listens on a loopback port of its own. A caller needs the gateway's
service token, which is good for one request within seconds and bound to the body's hash and ids.
"""
ELSEWHERE = """## Other addresses

| address | origin | what it is |
|---|---|---|
| `GET /openapi.json` | product | the registry's OpenAPI description |
| `GET /.well-known/jwks.json` | product | the keys of calls to your product; on one machine the local issuer's too |
| `GET /oriel/host.js` | product | the bridge for the host product's pages |
| `GET /oriel/guest.js` | UI | the library for extensions' UIs |
| `GET /ext-ui/{extension_id}/{content_hash}/{path}` | UI | an extension's assets, public and immutable |
"""
_OWN = "`operate`; or `publish`, for a version that the caller published"
PERMISSIONS = {"start_rollout": _OWN, "change_rollout": _OWN, "set_status": _OWN}
LOOKED = "Who looks is written into the tenant's audit, for the same thing once in five minutes."
NOTES = {
    "receive_bundle": "The body is the bundle's bytes, not JSON.",
    "list_executions": LOOKED,
    "get_execution": LOOKED,
    "get_fixture": "The request, every host call with its answer, and what came out; secrets are not in it. Who looks "
    "is written into the tenant's audit.",
    "search_logs": f"`level` is the lowest that is shown; `text` is in the message or a field's value. {LOOKED}",
    "tail_executions": "What was written since the last poll; without a cursor, in the last seconds. An execution may "
    f"come twice and is known by its id. {LOOKED}",
    "stream_executions": "The same as server-sent events: `execution` with an [Execution](#execution), `cursor` after "
    f"those of one poll; `last-event-id` goes on after one. {LOOKED}",
    "usage_series": "Up to two days, as far back as the log is kept.",
}
ANSWERS: dict[str, str] = {
    "open_upload": "201 [Upload](#upload), or 200 where the session is there already",
    "get_upload": "200 [Upload](#upload)",
    "receive_bundle": "200 [Upload](#upload)",
    "finalize": "202 [Upload](#upload) and `location`, where to poll until `state` is `ready` or `rejected`; "
    "409 `version_exists` where the version is published with other bytes",
    "register_publisher": "201 [Publisher](#publisher), or 200 where it is known",
    "list_publishers": "200 a listing of [Publisher](#publisher)",
    "get_publisher": "200 [Publisher](#publisher), with `keys`, a list of [Key](#key)",
    "add_key": "201 [Key](#key)",
    "revoke_key": "200 [Key](#key)",
    "revoke_publisher": "200 [Publisher](#publisher)",
    "set_status": "200 [Version](#version)",
    "collect": "200 `examined`, `blobs`, `bytes`, `dry_run` and the first `keys` of what nothing refers to: what was "
    "deleted, or would be",
    "list_quarantine": "200 a listing of [Quarantine](#quarantine)",
    "lift_quarantine": "204; the bundle runs again within seconds",
    "me": "200 `subject`, `tenant_id`, `name`, `email`, `roles`, `permissions`; `extension_id` of a key bound to one",
    "list_extensions": "200 a listing of `extension_id`, `publisher`, `created_at`, `latest`, `title`",
    "get_extension": "200 the same, with `versions`: `version`, `version_id`, `status`, `content_hash`, `publisher`, "
    "`created_at`",
    "get_version": "200 [Version](#version); `latest` is the highest that is ready and no pre-release",
    "menu": "200 a listing of [Menu item](#menu-item)",
    "create_install": "201 [Install](#install), or 200 where it is there; 422 `consent_required` with what is asked "
    "for, where `grants` is left out and something is asked",
    "list_installs": "200 a listing of [Install](#install)",
    "get_install": "200 [Install](#install)",
    "change_install": "200 [Install](#install)",
    "set_grants": "200 [Install](#install)",
    "grant": "200 [Install](#install); the other grants stay",
    "revoke_grant": "200 [Install](#install), or 404 where it is not granted",
    "preview_upgrade": "200 [Upgrade](#upgrade): what `POST` to the same address would do; it changes nothing",
    "upgrade": "200 [Install](#install): without `exact` the grants that are not named stay; 422 `invalid_config` "
    "where the configuration does not fit",
    "roll_back": "200 [Install](#install), at the version before and pinned to it; 409 where there is none",
    "restore": "200 [Install](#install), disabled; 409 where it was not uninstalled",
    "delete_install": "200 [Receipt](#receipt); 409 where it was not uninstalled",
    "export_install": "200 a download of JSON lines, each with its `kind`: `install`, `grant`, `secret` (by name), "
    "`record`, `execution`; the last is `end` and counts the others, so that a download that was cut off shows",
    "list_rollouts": "200 a listing of [Rollout](#rollout)",
    "start_rollout": "201 [Rollout](#rollout), or 409 where there is one",
    "get_rollout": "200 [Rollout](#rollout)",
    "change_rollout": "200 [Rollout](#rollout)",
    "set_config": "200 [Install](#install)",
    "uninstall": "200 [Install](#install): it is stopped, and deleted with all its data when `delete_at` comes",
    "list_secrets": "200 a listing of [Secret](#secret)",
    "put_secret": "200 [Secret](#secret)",
    "delete_secret": "204",
    "list_executions": "200 a listing of [Execution](#execution), newest first; a page may have few or none, and a "
    "cursor",
    "tail_executions": "200 `items`, a list of [Execution](#execution), oldest first; `cursor`, for the next poll; "
    "`more`, whether it can be made at once",
    "stream_executions": "200 `text/event-stream`, for a minute; 404 where the server holds no streams open",
    "get_execution": "200 [Execution](#execution)",
    "list_audit": "200 a listing of [Audit entry](#audit-entry) of the tenant, newest first",
    "verify_audit": "200 [Verification](#verification) of the tenant's chain",
    "get_checkpoint": "200 the end of the tenant's chain, a DSSE envelope signed by the platform; keep it elsewhere",
    "list_platform_audit": "200 a listing of [Audit entry](#audit-entry) of the platform",
    "verify_platform_audit": "200 [Verification](#verification) of the platform's chain",
    "get_platform_checkpoint": "200 the end of the platform's chain, signed",
    "verify_chains": "200 a listing of [Verification](#verification), of all tenants' chains, the platform's first",
    "create_api_key": "201 [API key](#api-key) with `token`, which is shown this once",
    "list_api_keys": "200 a listing of [API key](#api-key), revoked and expired ones too",
    "revoke_api_key": "200 [API key](#api-key); within seconds it is not taken any more",
    "create_platform_key": "201 [API key](#api-key) with `token`, which is shown this once",
    "list_platform_keys": "200 a listing of [API key](#api-key) of no tenant",
    "revoke_platform_key": "200 [API key](#api-key)",
    "get_quotas": "200 [Quotas](#quotas)",
    "get_quota_defaults": "200 `tenant` and `install`, the values that hold where nothing else is said",
    "set_quota_defaults": "200 the same",
    "get_quotas_of": "200 [Quotas](#quotas)",
    "set_tenant_quotas": "200 [Quotas](#quotas)",
    "set_install_quotas": "200 [Quotas](#quotas)",
    "get_fixture": "200 the fixture's file, JSON (`oriel replay`)",
    "list_fixtures": "200 a listing of `execution_id`, `extension_id`, `version`, `content_hash`, `reason`, "
    "`created_at`, `expires_at`, newest first",
    "search_logs": "200 a listing of lines: `at`, `level`, `message`, `fields`, `execution_id`, `extension_id`, "
    "`version`; newest execution first, the lines of one in their order",
    "list_usage": "200 a listing of [Usage](#usage), with `total_cost` and `currency`, null where nothing is charged",
    "export_usage": "200 CSV, a line for each, below one with the names",
    "usage_series": "200 `step` and `items`, a point for each step: `at`, `invocations`, `per_second`, `failures`, "
    "`cold`, `p50_ms`, `p95_ms`, `cpu_ms`, `egress_bytes`",
    "list_usage_of_all": "200 a listing of [Usage](#usage) of that day, of all tenants, with `currency`",
    "export_usage_of_all": "200 CSV, day by day",
    "get_data_key": "200 [Data key](#data-key); 404 where it was never rotated",
    "rotate_data_key": "202 [Data key](#data-key); in the background all secrets are sealed anew",
    "emit": "202 [Event](#event) without `data`; 200 where it was there already; 429 `rate_limited`. Who belongs to no "
    "tenant names one in `tenant_id`",
    "list_events": "200 a listing of [Event](#event) without `data`, newest first",
    "list_subscriptions": "200 a listing of [Subscription](#subscription)",
    "list_dead_letters": "200 a listing of [Delivery](#delivery), newest first",
    "redrive_all": "200 `redriven`, how many: at most 1,000 at once",
    "redrive": "200 [Delivery](#delivery)",
    "replay": "200 `deliveries`, how many were made: each event of that time once more",
    "get_event": "200 [Event](#event), with `deliveries`, a list of [Delivery](#delivery)",
    "list_schedules": "200 a listing of [Schedule](#schedule)",
    "create_schedule": "201 [Schedule](#schedule)",
    "preview": "200 `cron`, `timezone` and `next_runs`, the next five times",
    "get_schedule": "200 [Schedule](#schedule)",
    "change_schedule": "200 [Schedule](#schedule); what is left out of the body stays as it is",
    "delete_schedule": "204; 409 for one of the manifest, which can be switched off",
    "run_now": "202 [Run](#run); 409 while one goes on and may not be overlapped",
    "list_runs": "200 a listing of [Run](#run), newest first",
    "healthz": '200 `{"status": "ok"}`, or 503 where the store does not answer',
}


def page() -> str:
    """The whole page but its first line."""
    roles = "".join(
        f"| `{permission}` | {', '.join(f'`{role}`' for role in DEFAULT_ROLES.carriers(permission))} |\n"
        for permission in sorted({permission for granted in DEFAULT_ROLES.grants.values() for permission in granted})
    )
    with ExitStack() as opened:
        folder = opened.enter_context(tempfile.TemporaryDirectory(prefix="oriel-reference-"))
        settings = Settings.load(data_dir=Path(folder), store="", blobs="")
        keyring = Keyring.open(settings.keyring_path, create=True)
        registry = _registry(settings, keyring, opened)
        parts = [INTRO + roles, "## Gateway\n", *_gateway(), f"## Registry\n{LISTS}"]
        parts += [*_routes(registry_app(registry, _nobody)), f"## Runner\n{RUNNER}"]
        parts += [*_runner(_runner_app(settings, keyring, opened)), ELSEWHERE, "## What the registry answers with\n"]
        parts += [_object(name, value) for name, value in samples(registry).items()]
    return "\n".join(parts)


def _registry(settings: Settings, keyring: Keyring, opened: ExitStack) -> Registry:
    store = open_store(settings.store_url)
    opened.callback(store.close)
    return Registry(
        store=store,
        blobs=open_blobs(settings.blobs_url),
        sealer=Sealer(keyring),
        platform_key=SigningKey(keyring.platform_key),
        trust=TrustBundle(),
    )


def _runner_app(settings: Settings, keyring: Keyring, opened: ExitStack) -> Starlette:
    app, runner = build_app(settings, keyring)
    opened.callback(runner.close)
    return app


def _object(name: str, value: Json) -> str:
    return f"### {name}\n\n```json\n{json.dumps(value, indent=2, ensure_ascii=False)}\n```\n"


def _nobody(_: str | None) -> Any:
    raise OrielError("unauthenticated")


# the routes


def _gateway() -> Iterator[str]:
    described = describe(FastAPI(title="Oriel gateway"))
    methods = [method for method in described["paths"][PATH] if method != "parameters"]
    yield f"### `{', '.join(map(str.upper, methods))} {PATH}`\n"
    yield f"Permission: `invoke:read` for GET and HEAD, `invoke:write` for the others.\n{GATEWAY}"
    yield "Answers: the extension's own, whatever its status; or the platform's refusal.\n"
    yield f"### `POST {SESSION_PATH}`\n"
    yield f"Permission: `invoke:read`.\n{SESSIONS}"
    schema = session_ask()
    yield from _table("body", _fields(schema, schema), schema)
    yield "Answers: 200 `token` and `expires_at`; refused where the install may not run.\n"
    yield f"### `GET {KEYS_PATH}`\n"
    yield "Permission: none; no token is needed.\n"
    yield "Answers: 200 the public key of session tokens, as a JSON Web Key Set.\n"


def _routes(app: FastAPI) -> Iterator[str]:
    description = app.openapi()
    found = [context for context in iter_route_contexts(app.routes) if isinstance(context.original_route, APIRoute)]
    if different := {context.name for context in found} ^ ANSWERS.keys():
        raise SystemExit(f"ANSWERS in {__file__} and the registry differ in {', '.join(map(str, different))}")
    for context in found:
        yield from _route(context, description)


def _route(context: RouteContext, description: Json) -> Iterator[str]:
    name, path, method = str(context.name), str(context.path), min(context.methods or ())
    assert isinstance(context.original_route, APIRoute)  # what `_routes` has chosen
    yield f"### `{method} {path}`\n"
    yield f"Permission: {PERMISSIONS.get(name) or _permission(context.original_route.dependant)}.\n"
    if name in NOTES:
        yield f"{NOTES[name]}\n"
    operation = description["paths"][path][method.lower()]
    queries = [parameter for parameter in operation.get("parameters", ()) if parameter["in"] == "query"]
    fields = [(entry["name"], entry["schema"], entry.get("required", False)) for entry in queries]
    yield from _table("query", fields, description)
    if content := operation.get("requestBody", {}).get("content"):
        yield from _table("body", _fields(content["application/json"]["schema"], description), description)
    yield f"Answers: {ANSWERS[name]}.\n"


def _permission(dependant: Dependant) -> str:
    for dependency in dependant.dependencies:
        if isinstance(dependency.call, Permitted):
            return f"`{dependency.call.permission}`"
        if dependency.call is authenticated:
            return "any valid token"
    return "none; no token is needed"


def _runner(app: Starlette) -> Iterator[str]:
    for route in app.routes:
        assert isinstance(route, Route)  # the runner has nothing else
        yield f"### `{min(route.methods or ())} {route.path}`\n"
        if route.path == EXECUTE:
            for what, model in (("body", ExecuteRequest), ("answer", ExecuteResponse)):
                schema = msgspec.json.schema(model)
                yield from _table(what, _fields(schema, schema), schema)
            yield "Answers: 200 where there is a receipt, also of a failure; a problem where nothing ran.\n"
        else:
            yield 'Permission: none; no token is needed.\n\nAnswers: 200 `{"status": "ok"}`.\n'


# fields


def _fields(schema: Json, root: Json) -> list[tuple[str, Json, bool]]:
    schema = _resolved(schema, root)
    required = schema.get("required", ())
    return [(name, field, name in required) for name, field in schema["properties"].items()]


def _table(what: str, fields: list[tuple[str, Json, bool]], root: Json) -> Iterator[str]:
    if not fields:
        return
    yield f"| {what} | type | |\n|---|---|---|"
    for name, schema, required in fields:
        yield f"| `{name}` | {_type(schema, root)} | {'required' if required else _default(schema)} |"
    yield ""


def _resolved(schema: Json, root: Json) -> Json:
    """The schema itself, where it is a reference within `root`."""
    if "$ref" not in schema:
        return schema
    found: Any = root
    for step in schema["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return dict(found)


def _type(schema: Json, root: Json) -> str:
    schema = _resolved(schema, root)
    if "anyOf" in schema:
        return ", or ".join(_type(choice, root) for choice in schema["anyOf"])
    if "enum" in schema:
        return " or ".join(f'`"{value}"`' for value in schema["enum"])
    if schema.get("type") == "array":
        items = f" of {_type(schema['items'], root)}" if schema.get("items") else ""
        return f"list{items}{_bounds(schema)}"
    if schema.get("type") == "object" and schema.get("properties"):
        return "object {" + ", ".join(f"`{name}`" for name in schema["properties"]) + "}"
    kind = "text" if schema.get("type") == "string" else schema.get("type", "any")
    return f"{kind}{_bounds(schema)}"


def _bounds(schema: Json) -> str:
    lowest, highest = (int(schema[key]) if key in schema else None for key in ("minimum", "maximum"))
    longest = schema.get("maxLength", schema.get("maxItems"))
    said = [f"{lowest} or more"] if lowest is not None and highest is None else []
    said += [f"{lowest} to {highest}"] if highest is not None else []
    said += [f"at most {longest:,}"] if longest else []
    said += [f"`{schema['pattern'].replace(chr(92) + 'Z', '$')}`"] if "pattern" in schema else []
    return f" ({', '.join(said)})" if said else ""


def _default(schema: Json) -> str:
    default = schema.get("default")
    return (
        "" if default in (None, "") or isinstance(default, list | tuple | dict) else f"default `{json.dumps(default)}`"
    )
