"""From the component's `handler` to the `App` and back. `oriel build` writes the module that calls `world`."""

import importlib
from typing import Any

from oriel_guest import _runtime
from oriel_guest._host import from_body, to_body, to_headers
from oriel_guest.app import App
from oriel_guest.messages import Request, Response


def world(module: str) -> type:
    """The class that componentize-py instantiates, for the `app` in the author's `module`.

    Raises:
        ImportError: there is no such module, or no `app` in it.
    """
    _runtime.install()
    app: object = getattr(importlib.import_module(module), "app", None)
    if not isinstance(app, App):
        raise ImportError(f"src/{module}.py has no 'app': write 'app = App()' and declare the endpoints on it")
    _runtime.seal()
    answer = app.handler

    class WitWorld:
        def handler(self, request: Any) -> Any:
            _runtime.begin()
            return lower(answer(lift(request)))

    return WitWorld


def lift(request: Any) -> Request:
    return Request(
        request.method,
        request.path,
        query=request.query,
        route=request.route,
        params={param.name: param.value for param in request.params},
        headers=[(header.name, header.value) for header in request.headers],
        body=from_body(request.body),
    )


def lower(response: Response) -> Any:
    types = importlib.import_module("wit_world.imports.types")
    return types.Response(response.status, to_headers(response.headers.pairs()), to_body(response.body))
