"""Finding the endpoint that an extension's manifest declares for a request.

Rules kept here:

- An endpoint's path is `/`-separated; a segment `:name` matches any one segment, every other one matches itself.
- Where several match, the first segment in which they differ decides, and a literal beats a parameter; between equal
  shapes the one declared first wins. The order of declaration changes nothing else.
- `HEAD` is answered by a declared `HEAD`, else by the `GET` of the same path (RFC 9110, section 9.3.2).
- A path that is declared with other methods is `method_not_allowed` and says which; any other is not there.
"""

from collections.abc import Iterable, Sequence
from typing import Generic, Protocol, TypeVar

from msgspec import Struct

from oriel.errors import OrielError


class Endpoint(Protocol):
    """One declared endpoint. `method` is upper case."""

    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...


E = TypeVar("E", bound=Endpoint)


class Match(Struct, Generic[E], frozen=True):
    """The endpoint found, its path as declared, and its parameters in the path's order, decoded."""

    endpoint: E
    route: str
    params: tuple[tuple[str, str], ...]


def match_endpoint(endpoints: Iterable[E], method: str, segments: Sequence[str]) -> Match[E]:
    """The endpoint for a request.

    Args:
        endpoints: what the manifest declares.
        method: upper case.
        segments: the request's path below the extension, from `oriel.paths.clean_segments`.

    Raises:
        OrielError: `endpoint_not_found`; `method_not_allowed`, with the methods there are as `extra["allow"]`.
    """
    fitting = [(endpoint, _pattern(endpoint.path)) for endpoint in endpoints]
    fitting = [(endpoint, pattern) for endpoint, pattern in fitting if _fits(pattern, segments)]
    if not fitting:
        raise OrielError("endpoint_not_found", f"The extension declares no endpoint for '/{'/'.join(segments)}'.")
    for wanted in (method, "GET") if method == "HEAD" else (method,):
        candidates = [(endpoint, pattern) for endpoint, pattern in fitting if endpoint.method == wanted]
        if candidates:
            endpoint, pattern = min(candidates, key=lambda candidate: [_is_param(part) for part in candidate[1]])
            return Match(endpoint, endpoint.path, _params(pattern, segments))
    raise _not_allowed(method, {endpoint.method for endpoint, _ in fitting})


def _pattern(path: str) -> list[str]:
    return [part for part in path.split("/") if part]


def _is_param(part: str) -> bool:
    return part.startswith(":")


def _fits(pattern: Sequence[str], segments: Sequence[str]) -> bool:
    return len(pattern) == len(segments) and all(
        _is_param(part) or part == segment for part, segment in zip(pattern, segments, strict=True)
    )


def _params(pattern: Sequence[str], segments: Sequence[str]) -> tuple[tuple[str, str], ...]:
    return tuple((part[1:], segment) for part, segment in zip(pattern, segments, strict=True) if _is_param(part))


def _not_allowed(method: str, methods: set[str]) -> OrielError:
    allow = sorted(methods | ({"HEAD"} if "GET" in methods else set()))
    return OrielError(
        "method_not_allowed",
        f"The endpoint does not take {method}; it takes {', '.join(allow)}.",
        extra={"allow": allow},
    )
