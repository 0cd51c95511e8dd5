"""The gateway as a Lambda function behind an HTTP API.

Everything is made while the function starts, but for keys and connections, which the first request makes: what is
made at the start may be frozen into a snapshot (SnapStart) and woken up many times. No id is made before that either.
"""

from oriel.starting import started  # before anything that is large

# isort: split

import json
from typing import Any

from gateway.core import problem
from gateway.host_keys import PATH as HOST_KEYS_PATH
from gateway.host_keys import HostKeys
from gateway.in_aws import InAws, build
from gateway.messages import KEYS_HEADERS, SESSION_PATH, GatewayRequest, GatewayResponse, SessionAsk, target_of
from oriel import telemetry
from oriel.aws.afterwards import Afterwards
from oriel.aws.http_api import HttpEvent, answer
from oriel.aws.keys import SecretKey
from oriel.aws.services import LambdaClient
from oriel.aws.settings import target_of_setting
from oriel.errors import OrielError
from oriel.identity import SessionSigner
from oriel.identity.session import KEYS_PATH
from oriel.ids import new_id
from oriel.settings import Settings
from oriel.telemetry import bind


class Function:
    """The function's handler, over one gateway.

    Args:
        session_key: signs session tokens. Their issuer is the address that was asked, which is one of the API's own.
        host_keys: what the product verifies the runner's calls with.
    """

    def __init__(self, made: InAws, session_key: SecretKey, host_keys: HostKeys, public_url: str) -> None:
        self._gateway, self._session_key, self._public_url = made.gateway, session_key, public_url
        self._ahead = made.ahead
        self._host_keys = host_keys
        self._afterwards = Afterwards("oriel-journal", made.gateway.settle)

    def __call__(self, event: dict[str, Any], _context: object) -> dict[str, Any]:
        request_id = new_id("req")
        with bind(request_id=request_id):
            try:
                given = self._answer(HttpEvent.parse(event), request_id)
            except OrielError as error:
                given = problem(error, request_id)
        self._afterwards.answered()
        return answer(given.status, (*given.headers, ("x-request-id", request_id)), given.body)

    def _answer(self, http: HttpEvent, request_id: str) -> GatewayResponse:
        if http.path == HOST_KEYS_PATH:
            return _keys(self._host_keys.read())
        if http.path in {SESSION_PATH, KEYS_PATH}:
            issuer = self._public_url or f"https://{http.host}"
            self._gateway.sessions = SessionSigner(self._session_key.private, issuer)
            if http.path == KEYS_PATH:
                return _keys(json.dumps(self._gateway.sessions.jwks(self._session_key.believed())).encode())
        is_session = http.path == SESSION_PATH
        extension_id, path = (_asked(http), "/") if is_session else target_of(http.path.encode())
        request = GatewayRequest(
            request_id=request_id,
            method=http.method,
            extension_id=extension_id,
            path=path,
            query=http.query,
            headers=http.headers,
            body=http.body,
        )
        if is_session:
            return self._gateway.session(request)
        self._ahead.begin()
        return self._gateway.handle(request)


def _keys(body: bytes) -> GatewayResponse:
    return GatewayResponse(status=200, headers=(("content-type", "application/json"), *KEYS_HEADERS), body=body)


def _asked(http: HttpEvent) -> str:
    """Of which extension a session token is asked."""
    return "" if http.method == "OPTIONS" else SessionAsk.of(http.body).extension_id


_settings = Settings.load()
telemetry.configure(_settings.log_level)
_session = SecretKey(target_of_setting(_settings, "session_secret", "secretsmanager"), "session")
_host_keys = HostKeys(
    LambdaClient(target_of_setting(_settings, "runner", "lambda")), by_tenant=_settings.runner_by_tenant
)
handler = Function(build(_settings), _session, _host_keys, _settings.public_url)
started()
