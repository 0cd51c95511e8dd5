"""An identity provider by OpenID Connect: one user, codes used once, PKCE checked; its first token is over at once."""

import base64
import hashlib
import json
import secrets
from urllib.parse import parse_qsl, urlencode

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from oriel.local.tokens import jwks, mint_token

CORS = {"access-control-allow-origin": "*"}
CLIENT = "console"


class Provider:
    """The app and what it was asked. `origin` is set once it is served."""

    def __init__(self, key):
        self._key = key
        self._codes = {}
        self.origin = ""
        self.grants = []

    def write_keys(self, path):
        path.write_text(json.dumps(jwks(self._key)))
        return path

    def app(self):
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._configuration),
                Route("/authorize", self._authorize),
                Route("/token", self._token, methods=["POST"]),
            ]
        )

    async def _configuration(self, _: Request) -> Response:
        endpoints = {f"{name}_endpoint": f"{self.origin}/{path}" for name, path in
                     (("authorization", "authorize"), ("token", "token"))}  # fmt: skip
        return JSONResponse({"issuer": self.origin, **endpoints}, headers=CORS)

    async def _authorize(self, request: Request) -> Response:
        asked = request.query_params
        assert (asked["client_id"], asked["response_type"], asked["code_challenge_method"]) == (CLIENT, "code", "S256")
        code = secrets.token_urlsafe()
        self._codes[code] = (asked["code_challenge"], asked["audience"])
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}")

    async def _token(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        self.grants.append(form["grant_type"])
        if form["grant_type"] == "authorization_code":
            challenge, self._audience = self._codes.pop(form["code"])
            digest = hashlib.sha256(form["code_verifier"].encode()).digest()
            if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != challenge:
                return JSONResponse({"error": "invalid_grant"}, 400, CORS)
        token = mint_token(
            self._key, subject="ada", tenant="northwind", roles=["admin"], audience=self._audience, issuer=self.origin
        )
        given = {
            "access_token": token,
            "refresh_token": "again",
            "expires_in": 0 if form["grant_type"] == "authorization_code" else 300,
        }
        return JSONResponse(given, headers=CORS)
