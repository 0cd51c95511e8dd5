"""What browsers load from the product origin: the console's page, and the libraries under `/oriel/`.

The console is one document for every place under `/console/`. Its scripts are the browser library `/oriel/console.js`;
its data is the registry's API, asked with the token of whoever works with it. Nothing here knows a tenant.

Rules kept here:

- The page runs its own scripts alone, is framed by nobody, and reaches this origin and the identity provider only.
- Every path under `/console/` is the document: its scripts are elsewhere, and no name of a file is promised here.
"""

from typing import Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from oriel.asgi import install_error_handlers
from oriel.errors import OrielError
from oriel.settings import Settings
from oriel.web_files import LibraryName, web_root
from oriel.web_library import WebLibrary

SCOPE = "openid profile offline_access"
LIBRARIES: tuple[LibraryName, ...] = ("host", "guest", "console")


def pages_app(settings: Settings) -> Starlette:
    """The routes as an app of their own."""
    app = Starlette(routes=pages(settings))
    install_error_handlers(app)
    return app


def pages(settings: Settings) -> list[Route]:
    """The routes of `/console` and `/oriel/`."""
    configuration = console_configuration(settings)
    document = (web_root() / "console" / "index.html").read_bytes()
    headers = page_headers(configuration)
    libraries = {name: WebLibrary(name) for name in LIBRARIES}

    def page(_: Request) -> Response:
        return Response(document, headers=headers, media_type="text/html")

    def root(_: Request) -> Response:
        return RedirectResponse("/console/", status_code=308)

    def configured(_: Request) -> Response:
        return JSONResponse(configuration, headers={"cache-control": "no-store"})

    def file(request: Request) -> Response:
        name = request.path_params["name"]
        library = libraries.get(name.partition("/")[0].removesuffix(".js"))
        if library is None:
            raise OrielError("not_found", f"There is no library {name}.")
        return library.respond(request, name)

    return [
        Route("/console", root),
        Route("/console/config.json", configured),
        Route("/console/{place:path}", page),
        Route("/oriel/{name:path}", file),
    ]


def console_configuration(settings: Settings) -> dict[str, Any]:
    """How to sign in: `token_url` of the host product, and `oidc`, each None where there is none."""
    provider = {
        "issuer": settings.oidc_issuer,
        "client_id": settings.console_client_id,
        "audience": settings.oidc_audience,
        "scope": SCOPE,
    }
    by_provider = settings.oidc_issuer and settings.console_client_id
    return {"token_url": settings.console_token_url or None, "oidc": provider if by_provider else None}


def page_headers(configuration: dict[str, Any]) -> dict[str, str]:
    """The headers of the document."""
    provider = configuration["oidc"]
    reached = ["'self'", *([_origin(provider["issuer"])] if provider else [])]
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": " ".join(reached),
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    return {
        "content-security-policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "cache-control": "no-cache",
        "cross-origin-opener-policy": "same-origin",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
    }


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
