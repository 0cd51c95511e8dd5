"""`GET /metrics` on one machine, for Prometheus: a token or an API key with the permission `operate`."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from oriel.asgi import install_error_handlers
from oriel.identity import Authenticator
from oriel.metrics.prometheus import CONTENT_TYPE, Prometheus

PATH = "/metrics"


def metrics_app(prometheus: Prometheus, authenticator: Authenticator) -> Starlette:
    """The app of that one route."""

    def metrics(request: Request) -> Response:
        authenticator.authenticate(request.headers.get("authorization")).require("operate")
        return Response(prometheus.page(), headers={"content-type": CONTENT_TYPE, "cache-control": "no-store"})

    app = Starlette(routes=[Route(PATH, metrics)])
    install_error_handlers(app)
    return app
