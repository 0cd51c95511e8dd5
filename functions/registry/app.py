"""The registry's HTTP API.

Rules kept here: JSON in and out, errors as problem+json; every route but `/healthz` needs a bearer token; the tenant
is the token's and nothing else's; no answer is kept by a cache.
"""

from collections.abc import Callable, Sequence
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Response
from starlette.routing import BaseRoute

from oriel.errors import PROBLEM_MEDIA_TYPE, PROBLEM_SCHEMA
from oriel.identity import Principal
from oriel.web import install_error_handlers
from registry.core import Registry
from registry.routes.auditing import auditing_routes
from registry.routes.governing import governing_routes
from registry.routes.happening import event_routes, schedule_routes
from registry.routes.installing import catalogue_routes, install_routes
from registry.routes.lazily import LazyRoute
from registry.routes.lifecycle import lifecycle_routes
from registry.routes.observing import observing_routes
from registry.routes.publishing import publishing_routes

PREFIX = "/api/v1"


def create_app(
    registry: Registry,
    authenticate: Callable[[str | None], Principal],
    *,
    wake: Callable[[str], None] = lambda _: None,
    tidy: Callable[[], None] = lambda: None,
    pages: Sequence[BaseRoute] = (),
) -> FastAPI:
    """The application.

    Args:
        authenticate: gives the principal of an `authorization` header, or raises `unauthenticated`
            (`oriel.identity.Authenticator.authenticate`).
        wake: called with a session's id after it is finalized; without it the worker finds the session by itself.
        pages: further routes, of what browsers load (`oriel.console.pages`), where nothing else serves them.
        tidy: called after a rotation of the data key (`PublishWorker.tidy`); without it the worker finds it by itself.
    """
    app = FastAPI(title="Oriel registry", docs_url=None, redoc_url=None, responses=_REFUSALS)
    app.state.authenticate = authenticate
    install_error_handlers(app)
    never_cached = [Depends(_never_cached)]

    @app.get("/healthz", dependencies=never_cached)
    def healthz() -> dict[str, str]:
        registry.store.ping()
        return {"status": "ok"}

    routes = APIRouter(prefix=PREFIX, dependencies=never_cached, responses=_REFUSALS, route_class=LazyRoute)
    publishing_routes(routes, registry, wake)
    catalogue_routes(routes, registry)
    install_routes(routes, registry)
    observing_routes(routes, registry)
    governing_routes(routes, registry, tidy)
    lifecycle_routes(routes, registry, tidy)
    auditing_routes(routes, registry)
    event_routes(routes, registry)
    schedule_routes(routes, registry)
    app.router.routes.extend(routes.routes)
    app.router.routes.extend(pages)
    return app


_REFUSALS: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "A refusal: what is wrong and how to mend it.",
        "content": {PROBLEM_MEDIA_TYPE: {"schema": dict(PROBLEM_SCHEMA)}},
    }
}


def _never_cached(response: Response) -> None:
    response.headers["cache-control"] = "no-store"
