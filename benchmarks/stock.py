"""The stock way: the same components run with wasmtime-py as its documentation shows it.

What happens once is prepared: engine, artifact mapped from disk, linker, the handler's export index. A request then
takes a fresh store, an instance and a call, and its answer is read into the same values that Oriel's is. There is no
policy: no deadline, no limit on memory, no budget, no receipt, no log. The engine has its default configuration, so
that its compiler may use all features of this CPU and adds no checks for interruption.
"""

import hashlib
import secrets
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import wasmtime
from wasmtime import component as wc

from benchmarks.guests import keep
from oriel.build.tools import cache_dir
from oriel.contract import HttpRequest

PACKAGE = "oriel:extension/{}@1.0.0"

# What the guests of the benchmarks may call while they answer.
HOST_FUNCTIONS: Mapping[str, Mapping[str, Callable[..., Any]]] = {
    "context": {
        "now-ms": lambda _: time.time_ns() // 1_000_000,
        "random-u64": lambda _: secrets.randbits(64),
        "config": lambda _, key: None,
        "config-all": lambda _: [],
    },
    "log": {"emit": lambda _, level, message, fields: None},
}

Answer = tuple[int, list[tuple[str, str]], bytes]


class Stock:
    """One component, ready to be called from many threads; its artifact is kept under `name`."""

    def __init__(self, name: str, component: bytes) -> None:
        self._engine = wasmtime.Engine()
        path = _artifact(self._engine, name, component)
        self._component = wc.Component.deserialize_file(self._engine, str(path))
        handler = self._component.get_export_index("handler")
        if handler is None:
            raise ValueError("the component exports no 'handler'")
        self._handler = handler
        self._linker = wc.Linker(self._engine)
        self._linker.define_unknown_imports_as_traps(self._component)
        self._linker.allow_shadowing = True
        with self._linker.root() as root:
            for interface, functions in HOST_FUNCTIONS.items():
                with root.add_instance(PACKAGE.format(interface)) as instance:
                    for member, function in functions.items():
                        instance.add_func(member, function)

    def call(self, http: HttpRequest, body: bytes, case: str = "bytes") -> Answer:
        """The guest's answer from a fresh instance.

        Args:
            http: all but its body.
            body: is handed over as it is, in the `case` of `types.body` that is named.
        """
        store = wasmtime.Store(self._engine)
        instance = self._linker.instantiate(store, self._component)
        handler: Any = instance.get_func(store, self._handler)
        response = handler(store, _request(http, body, case))
        headers = [(line.name, line.value) for line in response.headers]
        return response.status, headers, _bytes(response.body)


def _request(http: HttpRequest, body: bytes, case: str) -> wc.Record:
    return _record(
        method=http.method,
        path=http.path,
        query=http.query,
        route=http.route,
        params=[_record(name=name, value=value) for name, value in http.params],
        headers=[_record(name=name, value=value) for name, value in http.headers],
        body=_body(body, case),
    )


def _record(**fields: Any) -> wc.Record:
    record = wc.Record()
    record.__dict__.update(fields)
    return record


def _body(data: bytes, case: str) -> wc.Variant:
    if not data:
        return wc.Variant("empty")
    if case == "bytes":
        return wc.Variant(case, data)
    return wc.Variant(case, b64encode(data).decode() if case == "base64" else data.decode())


def _bytes(body: wc.Variant) -> bytes:
    payload = body.payload or b""
    if isinstance(payload, bytes):
        return payload
    return b64decode(payload) if body.tag == "base64" else str(payload).encode()


def _artifact(engine: wasmtime.Engine, name: str, component: bytes) -> Path:
    """The component compiled with the default configuration, once for each version of the binding."""
    made_from = hashlib.sha256(version("wasmtime").encode() + component).hexdigest()[:16]
    path = cache_dir() / "benchmarks" / f"stock_{name}-{made_from}.cwasm"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"part-{path.name}")
        part.write_bytes(wc.Component(engine, component).serialize())
        keep(part, path)
    return path
