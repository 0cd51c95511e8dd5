"""The product origin on one machine: one address, and an app for each part of the path."""

import json
from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from oriel import __version__

LANDING = """<!doctype html><meta charset="utf-8"><title>Oriel</title>
<style>body{{font:16px/1.5 system-ui;max-width:42rem;margin:4rem auto;padding:0 1rem;color-scheme:light dark}}</style>
<h1>Oriel {version}</h1><p>The platform runs. Extensions answer under <code>/api/ext/</code>, the registry under
<code>/api/v1/</code>; its description is at <a href="/openapi.json">/openapi.json</a>.</p>
<p>The <a href="/console/">console</a> shows what is installed and what it does;
<code>oriel console</code> signs you in.</p>
<p>On this machine: <code>oriel doctor</code>, <code>oriel publish</code>, <code>oriel install</code>,
<code>oriel call</code>. To see it all at work: <code>make demo</code>.</p>"""


class Front:
    """An ASGI app that hands each request, whole and unchanged, to the app of the longest matching prefix."""

    def __init__(self, routes: Sequence[tuple[str, ASGIApp]], otherwise: ASGIApp) -> None:
        self._routes = tuple(sorted(routes, key=lambda route: len(route[0]), reverse=True))
        self._otherwise = otherwise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        app = next((app for prefix, app in self._routes if path.startswith(prefix)), self._otherwise)
        await app(scope, receive, send)


def landing() -> ASGIApp:
    """What the product origin shows where no product is mounted."""

    def page(_: Request) -> Response:
        return HTMLResponse(LANDING.format(version=__version__))

    return Starlette(routes=[Route("/", page)])


def key_set(keys: dict[str, object]) -> ASGIApp:
    """The local issuer's public keys."""
    body = json.dumps(keys)

    def respond(_: Request) -> Response:
        return JSONResponse(json.loads(body), headers={"cache-control": "public, max-age=60"})

    return Starlette(routes=[Route("/.well-known/jwks.json", respond)])
