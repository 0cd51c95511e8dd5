"""A small router: one function for each endpoint that manifest.json declares."""

import traceback
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import unquote

from oriel_guest import log
from oriel_guest.errors import HostError, Problem
from oriel_guest.messages import Request, Response, problem_response, to_response

Handler = Callable[[Request], Any]
Decorated = TypeVar("Decorated", bound=Handler)


class App:
    """The extension's endpoints.

    A route is written as in manifest.json: `/notes/:id`. Where several fit a path, the one with more literal
    segments wins, from the left. HEAD is answered by the function for GET, without its body.

    A function takes the `Request` and returns a `Response`, or text, bytes, None (204), or anything that can be
    written as JSON. What it raises becomes an answer, see `oriel_guest.errors`.
    """

    def __init__(self) -> None:
        self._routes: list[tuple[str, tuple[str, ...], Handler]] = []

    def route(self, method: str, path: str) -> Callable[[Decorated], Decorated]:
        """Register a function: `@app.route("GET", "/notes/:id")`. A second one for the same is a `ValueError`."""
        segments = _segments(path)
        if any(known == method and _same(other, segments) for known, other, _ in self._routes):
            raise ValueError(f"there is a function for {method} {path} already")

        def register(function: Decorated) -> Decorated:
            self._routes.append((method, segments, function))
            self._routes.sort(key=lambda entry: [segment.startswith(":") for segment in entry[1]])
            return function

        return register

    def get(self, path: str) -> Callable[[Decorated], Decorated]:
        return self.route("GET", path)

    def post(self, path: str) -> Callable[[Decorated], Decorated]:
        return self.route("POST", path)

    def put(self, path: str) -> Callable[[Decorated], Decorated]:
        return self.route("PUT", path)

    def patch(self, path: str) -> Callable[[Decorated], Decorated]:
        return self.route("PATCH", path)

    def delete(self, path: str) -> Callable[[Decorated], Decorated]:
        return self.route("DELETE", path)

    def handler(self, request: Request) -> Response:
        """The answer to a request. Never raises."""
        try:
            response = to_response(self._function_for(request)(request))
        except Problem as problem:
            response = problem_response(problem)
        except HostError as error:
            log.warn("a host call was refused", kind=error.kind, detail=error.detail, path=request.path)
            response = problem_response(Problem(error.status, error.detail, error.kind.replace("-", "_")))
        except Exception as error:  # an author's mistake is an answer and a log line, not a crash
            log.error(traceback.format_exc(), error=type(error).__name__, path=request.path)
            response = problem_response(Problem(500, "The extension failed; its log says why.", "extension_error"))
        if request.method == "HEAD":
            response.body = b""
        return response

    def _function_for(self, request: Request) -> Handler:
        """The function of the route that fits; fills in `request.params`. `Problem` 404 or 405 where none does."""
        path, allowed = _segments(request.path), []
        for method, route, function in self._routes:
            params = _match(route, path)
            if params is None:
                continue
            if method == request.method or (method, request.method) == ("GET", "HEAD"):
                request.params = params
                return function
            allowed.append(method)
        if allowed:
            raise Problem(405, f"{request.path} takes {', '.join(allowed)}.", "method_not_allowed")
        raise Problem(404, f"The extension has no {request.path}.", "not_found")


def _segments(path: str) -> tuple[str, ...]:
    return tuple(path.strip("/").split("/"))


def _same(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    return [":" if part.startswith(":") else part for part in one] == [
        ":" if part.startswith(":") else part for part in other
    ]


def _match(route: tuple[str, ...], path: tuple[str, ...]) -> dict[str, str] | None:
    """The values of the `:name` segments, or None where the route does not fit."""
    if len(route) != len(path):
        return None
    params = {}
    for pattern, raw in zip(route, path, strict=True):
        value = unquote(raw)
        if pattern.startswith(":") and value:
            params[pattern[1:]] = value
        elif pattern != value:
            return None
    return params
