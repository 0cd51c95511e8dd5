"""Requests and responses: plain values, without the host."""

import json as jsonlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from oriel_guest.errors import Problem

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"
BINARY = "application/octet-stream"
PROBLEM = "application/problem+json"

_TITLES = {status.value: status.phrase for status in HTTPStatus}

Pairs = Mapping[str, str] | Iterable[tuple[str, str]]


class MultiDict(Mapping[str, str]):
    """Names with one value or several, in order. As a mapping it gives the first value of each name."""

    def __init__(self, pairs: Pairs = ()) -> None:
        items = pairs.items() if isinstance(pairs, Mapping) else pairs
        self._pairs = [(self._key(name), value) for name, value in items]

    def all(self, name: str) -> list[str]:
        """Every value of `name`, in order; empty where there is none."""
        key = self._key(name)
        return [value for other, value in self._pairs if other == key]

    def pairs(self) -> list[tuple[str, str]]:
        """Every name and value, repeats included."""
        return list(self._pairs)

    def add(self, name: str, value: str) -> None:
        """One more value for `name`."""
        self._pairs.append((self._key(name), value))

    def __getitem__(self, name: str) -> str:
        for value in self.all(name):
            return value
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(name for name, _ in self._pairs))

    def __len__(self) -> int:
        return len({name for name, _ in self._pairs})

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._pairs!r})"

    def _key(self, name: str) -> str:
        return name


class Headers(MultiDict):
    """Header lines. Names are compared and kept in lower case."""

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and bool(self.all(name))

    def _key(self, name: str) -> str:
        return name.lower()


class Request:
    """One request to the extension.

    Attributes:
        method: upper case.
        path: below `/api/ext/<extension>`, percent-encoded as it was sent.
        query: what follows `?`, unchanged; `args` has it decoded.
        route: the endpoint as manifest.json declares it, `/notes/:id`.
        params: the values of its `:name` segments, decoded.
        headers: those that the gateway lets through; never `authorization` or `cookie`.
        body: the bytes.
    """

    def __init__(
        self,
        method: str,
        path: str,
        *,
        query: str = "",
        route: str = "",
        params: Mapping[str, str] | None = None,
        headers: Pairs = (),
        body: bytes = b"",
    ) -> None:
        self.method, self.path, self.query, self.route = method, path, query, route
        self.params = dict(params or {})
        self.headers = Headers(headers)
        self.body = body

    @property
    def args(self) -> MultiDict:
        """The query, decoded: `?tag=a&tag=b` gives `args["tag"] == "a"` and `args.all("tag") == ["a", "b"]`."""
        return MultiDict(parse_qsl(self.query, keep_blank_values=True))

    def text(self) -> str:
        """The body as text. `Problem` 400 where it is not UTF-8."""
        try:
            return self.body.decode()
        except UnicodeDecodeError:
            raise Problem(400, "The body is not UTF-8 text.", "malformed_body") from None

    def json(self) -> Any:
        """The body as JSON. `Problem` 400, naming the place, where it is not JSON."""
        try:
            return jsonlib.loads(self.text())
        except jsonlib.JSONDecodeError as error:
            detail = f"The body is not JSON: {error.msg}, line {error.lineno}, column {error.colno}."
            raise Problem(400, detail, "malformed_body") from None

    def json_object(self) -> dict[str, Any]:
        """The body as a JSON object. `Problem` 400 where it is something else."""
        value = self.json()
        if not isinstance(value, dict):
            raise Problem(400, "The body is not a JSON object.", "malformed_body")
        return value


class Response:
    """One answer.

    Args:
        body: text or bytes.
        status: 200 to 599.
        headers: `content-type`, `cache-control`, `etag`, `content-disposition` and `x-ext-…` leave the gateway.
    """

    def __init__(self, body: str | bytes = "", status: int = 200, headers: Pairs = ()) -> None:
        self.body, self.status, self.headers = body, status, Headers(headers)
        if body and "content-type" not in self.headers:
            self.headers.add("content-type", TEXT if isinstance(body, str) else BINARY)


def json_response(value: Any, status: int = 200, headers: Pairs = ()) -> Response:
    """`value` as JSON. Dataclasses become objects, dates and times ISO 8601 text."""
    return Response(dumps(value), status, [("content-type", JSON), *Headers(headers).pairs()])


def text_response(text: str, status: int = 200, headers: Pairs = ()) -> Response:
    """`text` as UTF-8 plain text."""
    return Response(text, status, headers)


def problem_response(problem: Problem) -> Response:
    """The RFC 9457 form of a `Problem`."""
    body = {
        "type": "about:blank",
        "title": _TITLES.get(problem.status, "Error"),
        "status": problem.status,
        "detail": problem.detail,
        **({"code": problem.code} if problem.code else {}),
        **problem.extra,
    }
    return Response(dumps(body), problem.status, [("content-type", PROBLEM)])


def to_response(value: Any) -> Response:
    """What a handler may return instead of a `Response`: None is 204, text and bytes are bodies, the rest is JSON."""
    match value:
        case Response():
            return value
        case None:
            return Response(status=204)
        case str() | bytes():
            return Response(value)
    return json_response(value)


def dumps(value: Any) -> str:
    """Compact JSON text; dataclasses, dates and times included."""
    return jsonlib.dumps(value, default=_plain, ensure_ascii=False, separators=(",", ":"))


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")
