"""Halden, a small product that embeds Oriel: orders for wholesalers, two customers, and extensions in the menu.

It shows what a host product has to bring, and nothing else of Oriel is in here:

- It is the identity provider: `/session/token` gives its page a short token for the signed-in user, signed with a key
  whose public half is at `/.well-known/jwks.json`. The gateway believes that issuer and no one else.
- Its pages load `/oriel/host.js`, read the menu from the registry and put `<oriel-extension>` where an item leads.
- `/operations/orders` carries out the operation `orders.list` for extensions: it believes the token that Oriel signs,
  and tells the orders of the customer that the token names.
- Its content security policy lets frames go to the UI origin only, so that a frame cannot be navigated elsewhere.

Signing in is a choice of four people without a password: this is a demonstration.
"""

import hashlib
import json
import secrets
import time
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi import Depends, FastAPI, Header, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel

HERE = Path(__file__).parent
TOKEN_SECONDS = 300
SESSION_SECONDS = 8 * 3600
SESSION_COOKIE = "halden-session"
ORIEL_KEYS = "oriel-host-"  # what the ids of Oriel's keys for host products begin with
PAGES = ("/", "/orders", "/sign-in", "/apps/{rest:path}")


class SignIn(BaseModel):
    user: str


def create_app(
    signing_key: Ed25519PrivateKey,
    *,
    ui_origin: str,
    issuer: str = "urn:oriel:local",
    audience: str = "oriel",
    key_id: str = "local",
    oriel_keys: str = "",
) -> FastAPI:
    """The product.

    Args:
        ui_origin: where extension UIs are served.
        issuer, audience, key_id: how its users' tokens are made.
        oriel_keys: the URL of Oriel's public keys; without it no operation is carried out.
    """
    app = FastAPI(title="Halden", docs_url=None, redoc_url=None, openapi_url=None)
    data = json.loads((HERE / "data.json").read_text(encoding="utf-8"))
    sessions = Sessions(frozenset(data["users"]))
    tokens = Tokens(signing_key, issuer, audience, key_id)
    CurrentUser = Annotated[str, Depends(sessions.user)]  # noqa: N806 - a type, as FastAPI wants it

    @app.middleware("http")
    async def guard(request: Request, follow: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await follow(request)
        response.headers.update(page_headers(ui_origin))
        return response

    @app.get("/.well-known/jwks.json")
    def jwks() -> dict[str, Any]:
        return tokens.jwks()

    @app.get("/session")
    def session(request: Request) -> dict[str, Any]:
        user = sessions.find(request)
        return {"ui_origin": ui_origin, "user": user and _profile(data, user), "people": _people(data)}

    @app.post("/session", status_code=204, dependencies=[Depends(from_own_page)])
    def sign_in(choice: SignIn, request: Request, response: Response) -> None:
        if choice.user not in data["users"]:
            raise HTTPException(422, "There is no such person.")
        sessions.start(choice.user, request, response)

    @app.delete("/session", status_code=204, dependencies=[Depends(from_own_page)])
    def sign_out(response: Response) -> None:
        response.delete_cookie(SESSION_COOKIE)

    @app.post("/session/token", dependencies=[Depends(from_own_page)])
    def token(user: CurrentUser) -> dict[str, Any]:
        return tokens.mint(user, data["users"][user])

    @app.get("/data/orders")
    def orders(user: CurrentUser) -> dict[str, Any]:
        tenant = data["tenants"][data["users"][user]["tenant"]]
        return {"currency": tenant["currency"], "orders": tenant["orders"]}

    @app.post("/operations/orders")
    def orders_operation(call: Annotated[OperationCall, Depends(OperationCalls(oriel_keys, "orders.list"))]) -> Any:
        tenant = data["tenants"].get(call.tenant)
        if tenant is None:
            raise HTTPException(403, "Oriel knows a customer that Halden does not.")
        state = call.input.get("state") if isinstance(call.input, dict) else None
        chosen = [order for order in tenant["orders"] if state in {None, order["state"]}]
        return {"currency": tenant["currency"], "orders": chosen}

    for path in PAGES:
        app.add_api_route(path, lambda: FileResponse(HERE / "static" / "index.html"), methods=["GET"])
    app.mount("/static", StaticFiles(directory=HERE / "static"))
    return app


def page_headers(ui_origin: str) -> dict[str, str]:
    """What the product's own pages may do. `frame-src` is what keeps an extension's frame where it belongs."""
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": f"'self' data: {ui_origin}",
        "connect-src": "'self'",
        "frame-src": ui_origin,
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    return {
        "content-security-policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "cache-control": "no-cache",
    }


def from_own_page(
    x_halden_request: Annotated[str | None, Header()] = None,
    x_oriel_console: Annotated[str | None, Header()] = None,
    sec_fetch_site: Annotated[str | None, Header()] = None,
) -> None:
    """Another site's page can neither set such a header without a preflight, which is not answered, nor lie here."""
    if (x_halden_request is None and x_oriel_console is None) or sec_fetch_site not in {None, "same-origin"}:
        raise HTTPException(403, "This is for the product's own pages.")


@dataclass(frozen=True)
class OperationCall:
    """A call of Oriel that has been verified: the customer and the user it is for, and the operation's input."""

    tenant: str
    user: str | None
    input: Any


class OperationCalls:
    """Verifies calls of one operation: signed by Oriel's key for host products, for this operation and this body."""

    def __init__(self, keys_url: str, operation: str) -> None:
        self._keys = jwt.PyJWKClient(keys_url) if keys_url else None
        self._operation = operation

    async def __call__(self, request: Request) -> OperationCall:
        body = await request.body()
        claims = await run_in_threadpool(self._claims, request.headers.get("authorization", "").partition(" ")[2])
        if claims["operation"] != self._operation or claims["body_sha256"] != hashlib.sha256(body).hexdigest():
            raise HTTPException(401, "The token is for another call.")
        return OperationCall(claims["tenant"], claims.get("sub"), json.loads(body)["input"])

    def _claims(self, token: str) -> dict[str, Any]:
        if self._keys is None:
            raise HTTPException(503, "No keys of Oriel are configured.")
        try:
            key_id = str(jwt.get_unverified_header(token).get("kid"))
            if not key_id.startswith(ORIEL_KEYS):
                raise jwt.InvalidTokenError
            key = self._keys.get_signing_key(key_id)
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=["EdDSA"],
                issuer="oriel-runner",
                audience="oriel-host",
                options={"require": ["exp", "operation", "body_sha256", "tenant"]},
            )
        except jwt.PyJWTError:
            raise HTTPException(401, "The token is not one of Oriel's.") from None
        return claims


class Sessions:
    """Who is signed in: a signed cookie, good until the process ends."""

    def __init__(self, users: frozenset[str]) -> None:
        self._users = users
        self._key = secrets.token_bytes(32)

    def start(self, user: str, request: Request, response: Response) -> None:
        value = jwt.encode({"sub": user, "exp": int(time.time()) + SESSION_SECONDS}, self._key, algorithm="HS256")
        is_https = request.url.scheme == "https"
        response.set_cookie(
            SESSION_COOKIE, value, max_age=SESSION_SECONDS, httponly=True, samesite="strict", secure=is_https
        )

    def find(self, request: Request) -> str | None:
        try:
            claims = jwt.decode(request.cookies.get(SESSION_COOKIE, ""), self._key, algorithms=["HS256"])
        except jwt.InvalidTokenError:
            return None
        user = str(claims["sub"])
        return user if user in self._users else None

    def user(self, request: Request) -> str:
        user = self.find(request)
        if user is None:
            raise HTTPException(401, "Sign in first.")
        return user


class Tokens:
    """Short tokens for the gateway: who the user is, for which customer, in which roles."""

    def __init__(self, key: Ed25519PrivateKey, issuer: str, audience: str, key_id: str) -> None:
        self._key = key
        self._issuer = issuer
        self._audience = audience
        self._key_id = key_id

    def mint(self, user: str, profile: dict[str, Any]) -> dict[str, Any]:
        now = int(time.time())
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": user,
            "iat": now,
            "exp": now + TOKEN_SECONDS,
            "jti": uuid.uuid4().hex,
            **profile,
        }
        token = jwt.encode(claims, self._key, algorithm="EdDSA", headers={"kid": self._key_id})
        return {"token": token, "expires_in": TOKEN_SECONDS}

    def jwks(self) -> dict[str, Any]:
        """RFC 7517; the key as in RFC 8037."""
        public = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        x = urlsafe_b64encode(public).rstrip(b"=").decode()
        return {"keys": [{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": self._key_id, "x": x}]}


def _profile(data: dict[str, Any], user: str) -> dict[str, Any]:
    profile = data["users"][user]
    tenant = data["tenants"][profile["tenant"]]
    return {"id": user, **profile, "tenant_name": tenant["name"], "accent": tenant["accent"]}


def _people(data: dict[str, Any]) -> list[dict[str, Any]]:
    return [_profile(data, user) for user in data["users"]]
