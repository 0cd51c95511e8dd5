"""Everything that the guest library says of itself, to be asked from outside."""

import datetime as dt
import logging
import os
import random
import time
import uuid
from typing import Any

from greeting import HELLO
from oriel_guest import (
    App,
    Conflict,
    HostError,
    Invalid,
    Problem,
    Request,
    Response,
    context,
    host,
    http,
    log,
    metrics,
    secrets,
    storage,
    user,
)

app = App()
BUILT_AT = time.time()


@app.get("/clock")
def clock(_: Request) -> dict[str, Any]:
    return {
        "time": time.time(),
        "now": dt.datetime.now(dt.UTC),
        "context": context.now(),
        "built": BUILT_AT,
        "parsed": dt.datetime.strptime("2026-11-24", "%Y-%m-%d").replace(tzinfo=dt.UTC),
    }


@app.get("/random")
def randomness(_: Request) -> list[Any]:
    return [random.random(), str(uuid.uuid4()), os.urandom(8).hex(), context.random_u64(), context.new_id()]


@app.get("/log")
def logged(_: Request) -> None:
    print("printed")
    logging.getLogger("probe").warning("logged %s", 1)
    log.info("emitted", number=7)


@app.get("/fault/:kind")
def fault(request: Request) -> object:
    match request.params["kind"]:
        case "exception":
            return 1 // 0
        case "import":
            import colorsys

            return colorsys.__name__
        case "file":
            return open("/etc/passwd")  # noqa: PTH123 - it is refused
        case "sleep":
            return time.sleep(10)
    raise Problem(418, "I am a teapot.", "teapot", pot="small")


@app.get("/context")
def told(request: Request) -> dict[str, Any]:
    who = user.get()
    return {
        "info": context.get(),
        "settings": context.settings(),
        "typed": [context.setting("text", ""), context.setting("number", 0.0), context.setting("list", ["x"])],
        "flag": context.setting("flag", False),
        "other": [context.setting("nothing", 5), context.setting("number", "as text"), context.setting("text", ["no"])],
        "user": who and who.label,
        "args": request.args.pairs(),
        "header": request.headers.get("Content-Type"),
    }


@app.post("/echo")
def echo(request: Request) -> Response:
    return Response(
        request.body, headers={"content-type": request.headers["content-type"], "x-ext-size": str(len(request.body))}
    )


@app.post("/storage")
def stored(_: Request) -> dict[str, Any]:
    first = storage.put("a/text", "grüß", if_absent=True)
    storage.put("a/bytes", b"\xff\x00")
    storage.put("a/json", {"n": 1}, ttl=60)
    storage.put_many([storage.Write(f"b/{n:03d}", n) for n in range(20)])
    entry = storage.get("a/json")
    assert entry is not None
    try:
        storage.put("a/text", "other", if_revision=9)
        conflict = ""
    except Conflict as error:
        conflict = error.kind
    storage.update("a/count", lambda value: (value or 0) + 1)
    return {
        "revision": first,
        "conflict": conflict,
        "text": storage.get_many(["a/text", "a/none"])["a/text"].text(),
        "bytes": list(storage.get_many(["a/bytes"])["a/bytes"].value),
        "expires": entry.expires_at,
        "count": storage.update("a/count", lambda value: value + 1),
        "page": [item.key for item in storage.list_page("b/", limit=3).entries],
        "scan": sum(1 for _ in storage.scan("b/")),
        "deleted": [storage.delete("a/json"), storage.delete("a/json")],
        "gone": storage.get("a/json") is None,
    }


@app.get("/refused")
def refused(_: Request) -> list[str]:
    kinds = []
    for attempt in (
        lambda: http.fetch("https://elsewhere.example/"),
        lambda: http.fetch("not a url"),
        lambda: storage.put("", "x"),
        lambda: storage.list_page(limit=0),
    ):
        try:
            attempt()
        except HostError as error:
            kinds.append(type(error).__name__)
    return [*kinds, str(secrets.get("NONE")), secrets.reference("TOKEN"), *secrets.names()]


@app.get("/metrics")
def measured(_: Request) -> str:
    metrics.count("asked_total", 2, kind="a")
    metrics.count("asked_total", kind="a")
    metrics.gauge("depth", 7)
    metrics.observe("took_seconds", 0.02)
    try:
        metrics.count("not a name")
    except Invalid as error:
        return type(error).__name__
    return ""


@app.get("/host/:operation")
def operation(request: Request) -> Any:
    return host.call(request.params["operation"], {"n": 1})


@app.get("/items/:id")
def item(request: Request) -> dict[str, str]:
    return request.params


@app.get("/vendored")
def vendored(_: Request) -> str:
    return HELLO
