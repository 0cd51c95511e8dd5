"""All of WASI 0.2 by interface and name: what is given, what is refused, and what cannot be asked for.

A function that is in neither table takes a resource that no other function hands out (an open file, a socket): it
links, and a guest has nothing to call it with.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final

from oriel.engine.standard import INCOMING_HANDLER, standard_types
from oriel.engine.types import Function
from oriel.errors import OrielError
from runner.execution import Execution
from runner.linking import HostFunction, HostResource
from runner.wasi import cli, fields, messages, outgoing, polling, streams

RELEASE: Final = "12"  # of 0.2; the linker gives it to a component that names another one


def _no_files(_execution: Execution) -> list[Any]:
    return []


def _network(_execution: Execution) -> str:
    return "no network"


def _no_debug_text(_execution: Execution, _error: object) -> str:
    return ""


def _refused(execution: Execution, *_arguments: object) -> tuple[str, str]:
    """A denial, counted like any other."""
    execution.budgets.denied_calls += 1
    return ("err", "access-denied")


def _unreachable(_execution: Execution, *_arguments: object) -> None:
    raise OrielError("guest_trap", "The extension used a file or a socket, and there are none.")


def _options() -> Iterator[tuple[str, Callable[..., Any]]]:
    for name in ("connect-timeout", "first-byte-timeout", "between-bytes-timeout"):
        yield f"[method]request-options.{name}", messages.option_getter(name)
        yield f"[method]request-options.set-{name}", messages.option_setter(name)


def _parts() -> Iterator[tuple[str, Callable[..., Any]]]:
    for name, part in (
        ("method", "method"),
        ("path-with-query", "target"),
        ("scheme", "scheme"),
        ("authority", "authority"),
    ):
        yield f"[method]outgoing-request.{name}", messages.getter(part)
        yield f"[method]outgoing-request.set-{name}", messages.setter(part)


_TABLE: Final[Mapping[str, Mapping[str, Callable[..., Any]]]] = {
    "wasi:cli/environment": {
        "get-environment": cli.environment,
        "get-arguments": cli.arguments,
        "initial-cwd": cli.nothing,
    },
    "wasi:cli/exit": {"exit": cli.exit_},
    "wasi:cli/stdin": {"get-stdin": cli.stdin},
    "wasi:cli/stdout": {"get-stdout": cli.stdout},
    "wasi:cli/stderr": {"get-stderr": cli.stderr},
    "wasi:cli/terminal-stdin": {"get-terminal-stdin": cli.nothing},
    "wasi:cli/terminal-stdout": {"get-terminal-stdout": cli.nothing},
    "wasi:cli/terminal-stderr": {"get-terminal-stderr": cli.nothing},
    "wasi:clocks/monotonic-clock": {
        "now": polling.monotonic_now,
        "resolution": polling.monotonic_resolution,
        "subscribe-instant": polling.subscribe_instant,
        "subscribe-duration": polling.subscribe_duration,
    },
    "wasi:clocks/wall-clock": {"now": polling.wall_now, "resolution": polling.wall_resolution},
    "wasi:filesystem/preopens": {"get-directories": _no_files},
    "wasi:filesystem/types": {"filesystem-error-code": cli.nothing},
    "wasi:http/outgoing-handler": {"handle": outgoing.handle},
    "wasi:http/types": {
        "http-error-code": outgoing.error_code,
        "[constructor]fields": fields.new,
        "[static]fields.from-list": fields.from_list,
        "[method]fields.get": fields.get,
        "[method]fields.has": fields.has,
        "[method]fields.set": fields.set_,
        "[method]fields.delete": fields.delete,
        "[method]fields.append": fields.append,
        "[method]fields.entries": fields.entries,
        "[method]fields.clone": fields.clone,
        "[method]incoming-request.method": messages.method,
        "[method]incoming-request.path-with-query": messages.target,
        "[method]incoming-request.scheme": messages.scheme,
        "[method]incoming-request.authority": messages.authority,
        "[method]incoming-request.headers": messages.headers,
        "[method]incoming-request.consume": messages.consume,
        "[method]incoming-response.status": messages.status,
        "[method]incoming-response.headers": messages.headers,
        "[method]incoming-response.consume": messages.consume,
        "[method]incoming-body.stream": messages.body_stream,
        "[static]incoming-body.finish": messages.finish_incoming,
        "[method]future-trailers.subscribe": messages.trailers_subscribe,
        "[method]future-trailers.get": messages.trailers_get,
        "[constructor]outgoing-request": messages.outgoing_request,
        "[method]outgoing-request.body": messages.request_body,
        "[method]outgoing-request.headers": messages.headers,
        **dict(_parts()),
        "[constructor]request-options": messages.request_options,
        **dict(_options()),
        "[constructor]outgoing-response": messages.outgoing_response,
        "[method]outgoing-response.status-code": messages.status,
        "[method]outgoing-response.set-status-code": messages.set_status,
        "[method]outgoing-response.headers": messages.headers,
        "[method]outgoing-response.body": messages.response_body,
        "[method]outgoing-body.write": messages.body_write,
        "[static]outgoing-body.finish": messages.finish_outgoing,
        "[static]response-outparam.set": messages.answer,
        "[method]future-incoming-response.subscribe": outgoing.subscribe,
        "[method]future-incoming-response.get": outgoing.get,
    },
    "wasi:io/error": {"[method]error.to-debug-string": _no_debug_text},
    "wasi:io/poll": {
        "poll": polling.poll,
        "[method]pollable.ready": polling.ready,
        "[method]pollable.block": polling.block,
    },
    "wasi:io/streams": {
        "[method]input-stream.read": streams.read,
        "[method]input-stream.blocking-read": streams.read,
        "[method]input-stream.skip": streams.skip,
        "[method]input-stream.blocking-skip": streams.skip,
        "[method]input-stream.subscribe": streams.subscribe,
        "[method]output-stream.check-write": streams.check_write,
        "[method]output-stream.write": streams.write,
        "[method]output-stream.blocking-write-and-flush": streams.write,
        "[method]output-stream.flush": streams.flush,
        "[method]output-stream.blocking-flush": streams.flush,
        "[method]output-stream.subscribe": streams.subscribe,
        "[method]output-stream.write-zeroes": streams.write_zeroes,
        "[method]output-stream.blocking-write-zeroes-and-flush": streams.write_zeroes,
        "[method]output-stream.splice": streams.splice,
        "[method]output-stream.blocking-splice": streams.splice,
    },
    "wasi:random/random": {"get-random-bytes": cli.random_bytes, "get-random-u64": cli.random_u64},
    "wasi:random/insecure": {
        "get-insecure-random-bytes": cli.random_bytes,
        "get-insecure-random-u64": cli.random_u64,
    },
    "wasi:random/insecure-seed": {"insecure-seed": cli.insecure_seed},
    "wasi:sockets/instance-network": {"instance-network": _network},
    "wasi:sockets/ip-name-lookup": {"resolve-addresses": _refused},
    "wasi:sockets/tcp-create-socket": {"create-tcp-socket": _refused},
    "wasi:sockets/udp-create-socket": {"create-udp-socket": _refused},
}


def host_functions() -> tuple[HostFunction, ...]:
    """Every function that a standard component may import."""
    return tuple(
        HostFunction(
            f"{interface}.{RELEASE}",
            name,
            _counted(_base(interface), name, _TABLE.get(_base(interface), {}).get(name, _unreachable)),
        )
        for interface, name, item in _items()
        if isinstance(item, Function)
    )


def host_resources() -> tuple[HostResource, ...]:
    """Every resource, under each name that an interface has for it."""
    return tuple(
        HostResource(f"{interface}.{RELEASE}", name)
        for interface, name, item in _items()
        if not isinstance(item, Function)
    )


def _items() -> Iterator[tuple[str, str, Any]]:
    for interface, items in standard_types().items():
        if interface != INCOMING_HANDLER:
            yield from ((interface, name, item) for name, item in items.items())


def _base(interface: str) -> str:
    return interface.partition("@")[0]


def _counted(interface: str, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
    def counted(execution: Execution, *arguments: Any) -> Any:
        execution.check_deadline()
        execution.budgets.charge_standard_call()
        return call(execution, *arguments)

    return _taped(f"{interface}.{name}", counted) if _differs(interface, name) else counted


def _differs(interface: str, name: str) -> bool:
    """Whether it answers something else at another time: clocks, waiting and random numbers."""
    return interface.startswith(("wasi:clocks/", "wasi:random/", "wasi:io/poll")) and not name.startswith("subscribe")


def _taped(place: str, call: Callable[..., Any]) -> Callable[..., Any]:
    """`call`, by way of the tape where there is one; pollables mean nothing outside their execution."""

    def taped(execution: Execution, *arguments: Any) -> Any:
        if execution.tape is None:
            return call(execution, *arguments)
        plain = [argument for argument in arguments if isinstance(argument, int)]
        return execution.tape.call(place, plain, partial(call, execution, *arguments))

    return taped
