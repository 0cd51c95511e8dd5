"""The whole platform as it is deployed: built functions under Lambda's emulator, on what the template declares of
tables, buckets, queues, schedules and the bus, which moto keeps. API Gateway, Lambda's event sources and its invoke API
are played here.

It has what `tests.support.platform` needs of a platform (`base_url`, `keyring.issuer_key`), so that the same tests run
on it. Each function's requests to AWS are written down with who sent them (`seen`).
"""

import base64
import contextlib
import json
import re
import threading
import uuid
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from oriel.local.tokens import jwks
from tests.support.aws import CREDENTIALS, REGION, moto_endpoint
from tests.support.event_sources import EventSources
from tests.support.lambdas import Emulated, built, listening
from tests.support.postgres import empty_database, shared_server
from tests.support.rds_proxy import RdsProxy
from tests.support.stack import Stack

ISSUER = "urn:oriel:local"
HOP_BY_HOP = {"connection", "host", "content-length", "transfer-encoding", "keep-alive"}


class AwsPlatform:
    """Use it in a `with`.

    Args:
        parameters: of the template. With `Store=postgresql` the store is a database of the real server behind a proxy
            that asks for tokens of IAM's (tests/support/rds_proxy.py), and the deployment's own function migrates it.
        settings: variables of all functions.
    """

    def __init__(self, folder: Path, parameters: Mapping[str, str] | None = None, **settings: str) -> None:
        self._folder, self._settings = folder, settings
        self._parameters = {"OidcIssuer": f"http://{ISSUER}"} | dict(parameters or {})
        self._opened = contextlib.ExitStack()
        self.keyring = SimpleNamespace(issuer_key=Ed25519PrivateKey.generate())
        self.settings = SimpleNamespace(cache_seconds=float(settings.get("ORIEL_CACHE_SECONDS", "5")))
        self.last_call = b""
        self.seen: list[tuple[str, str, str]] = []
        self._environments: dict[str, Emulated] = {}
        self._starting = threading.Lock()

    def __enter__(self):
        built()
        keys = self._folder / "jwks.json"
        keys.write_text(json.dumps(jwks(self.keyring.issuer_key)))
        self.stack = Stack(f"oriel-{uuid.uuid4().hex[:8]}", **self._parameters)
        self._keys = str(keys)
        self._proxies = {
            name: self._opened.enter_context(listening(self._proxy(name))) for name in self.stack.environment
        }
        self._lambda_url = self._opened.enter_context(listening(self._lambda_api()))
        self.base_url = self._opened.enter_context(listening(self._http_api()))
        if self._parameters.get("Store") == "postgresql":
            self.rds = self._opened.enter_context(
                RdsProxy(shared_server().socket_path, CREDENTIALS, REGION, self._folder)
            )
            self.database = self._opened.enter_context(empty_database())
            self._opened.callback(self._close_environments)
            self.migrated = self._migrate()
        sources = EventSources(self.stack, lambda function, event: self.function(function).call(event))
        self.sources = self._opened.enter_context(sources)
        return self

    def _migrate(self) -> list[Any]:
        """Create the custom resource, as CloudFormation does; what it was told."""
        told: list[Any] = []

        def listen(request: BaseHTTPRequestHandler, body: bytes) -> None:
            told.append(json.loads(body))
            _answer(request, 200, [], b"")

        with listening(_handler(listen)) as url:
            ids = {"StackId": "stack", "RequestId": uuid.uuid4().hex, "LogicalResourceId": "TablesMigrated"}
            given = {"ResourceProperties": {"Address": "proxy.example"}, "ResponseURL": f"{url}/answer?signed=1"}
            self.function("MigrationFunction").call({"RequestType": "Create", **ids, **given})
        return told

    def __exit__(self, *_failure: object) -> None:
        self._opened.close()
        self._close_environments()

    def _close_environments(self) -> None:
        while self._environments:
            self._environments.popitem()[1].close()

    def function(self, name: str) -> Emulated:
        """The execution environment of a function, started when it is first asked for."""
        with self._starting:
            if name not in self._environments:
                self._environments[name] = self.new_environment(name)
            return self._environments[name]

    @contextlib.contextmanager
    def started_anew(self, *names: str, **settings: str):
        """New execution environments of these functions, with other settings, in place of those that run."""
        with self.sources.deaf(*names), self._starting:
            former = {name: self._environments.pop(name) for name in names if name in self._environments}
            settings, self._settings = self._settings, self._settings | settings
        try:
            yield
        finally:
            self._settings = settings
            with self.sources.deaf(*names), self._starting:
                anew = [self._environments.pop(name) for name in names if name in self._environments]
                self._environments |= former
            for environment in anew:
                environment.close()

    def new_environment(self, name: str) -> Emulated:
        """Another execution environment, cold; the caller closes it."""
        properties = self.stack.functions[name]["Properties"]
        named = str(properties.get("Layers", []))
        layers = [built() / layer for layer in ("WasmtimeLayer", "PostgresqlLayer") if layer in named]
        return Emulated(built() / name, layers, properties["Handler"], self._environment(name), self._log_of(name))

    def _log_of(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def imported(self, name: str) -> set[str]:
        """The modules that a function has imported, where `PYTHONVERBOSE` lets it say so."""
        return set(re.findall(r"^import '(\S+)' #", self._log_of(name).read_text(), re.MULTILINE))

    def _environment(self, name: str) -> dict[str, str]:
        given = dict(self.stack.environment[name])
        given |= {
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(self.stack.functions[name]["Properties"]["Timeout"]),
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": CREDENTIALS.access_key_id,
            "AWS_SECRET_ACCESS_KEY": CREDENTIALS.secret_access_key,
            "AWS_ENDPOINT_URL": self._proxies[name],
            "AWS_ENDPOINT_URL_LAMBDA": self._lambda_url,
            "ORIEL_DATA_DIR": str(self._folder / f"data-{name}-{uuid.uuid4().hex[:6]}"),
            "ORIEL_LOG_LEVEL": "error",
        }
        if "ORIEL_OIDC_ISSUER" in given:
            given |= {"ORIEL_OIDC_ISSUER": ISSUER, "ORIEL_OIDC_JWKS": self._keys}
        given |= self._settings
        if given.get("ORIEL_STORE", "").startswith("rds:"):
            given["ORIEL_STORE"] = self.rds.store(self.database, given["ORIEL_STORE"].rpartition("user=")[2])
        return given

    def _proxy(self, name: str):
        """What stands between a function and moto, and writes down what is asked."""

        def handle(request: BaseHTTPRequestHandler, body: bytes) -> None:
            self.seen.append((name, *_asked(request, body)))
            headers = {key: value for key, value in request.headers.items() if key.lower() not in HOP_BY_HOP}
            got = http.request(request.command, moto_endpoint() + request.path, content=body, headers=headers)
            _answer(request, got.status_code, got.headers.multi_items(), got.content)

        http = self._opened.enter_context(httpx.Client(trust_env=False, timeout=60, headers={}))
        return _handler(handle)

    def _lambda_api(self):
        def handle(request: BaseHTTPRequestHandler, body: bytes) -> None:
            function = unquote(urlsplit(request.path).path.split("/")[3])
            name = next(name for name in self.stack.functions if name in function)
            self.last_call = body
            raw = self.function(name).invoke(body)
            failed = b'"errorType"' in raw[:2000] and b'"errorMessage"' in raw[:2000]
            _answer(request, 200, [("X-Amz-Function-Error", "Unhandled")] if failed else [], raw)

        return _handler(handle)

    def _http_api(self):
        """API Gateway: the routes of the template, events of payload format 2.0."""

        def handle(request: BaseHTTPRequestHandler, body: bytes) -> None:
            url = urlsplit(request.path)
            event = {
                "version": "2.0",
                "rawPath": unquote(url.path),
                "rawQueryString": url.query,
                "headers": _joined(request.headers.items()),
                "requestContext": {
                    "domainName": "api.example.com",
                    "http": {"method": request.command, "path": unquote(url.path), "sourceIp": "127.0.0.1"},
                    "stage": "$default",
                    "requestId": uuid.uuid4().hex,
                },
                "isBase64Encoded": False,
            }
            if body:
                event |= {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
            name = next((name for name, path in ROUTES.items() if re.match(path, url.path)), None)
            if name is None:
                _answer(request, 404, [("content-type", "application/json")], b'{"message":"Not Found"}')
                return
            got = self.function(name).call(event)
            if "statusCode" not in got:
                _answer(request, 502, [("content-type", "application/json")], json.dumps(got).encode())
                return
            content = got.get("body", "")
            raw = base64.b64decode(content) if got.get("isBase64Encoded") else content.encode()
            _answer(request, got["statusCode"], list(got.get("headers", {}).items()), raw)

        return _handler(handle)


ROUTES = {
    "GatewayFunction": r"/(api/ext(/|-session)|\.well-known/jwks\.json$)",
    "RegistryFunction": r"/(api/v1/|openapi\.json$|healthz$)",
}


def _handler(handle: Callable[[BaseHTTPRequestHandler, bytes], None]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # an answer's body, written after its head, waits 40 ms otherwise

        def _do(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            with contextlib.suppress(ConnectionError):
                handle(self, body)

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _do  # noqa: N815 - the library's names

        def log_message(self, *_arguments: object) -> None:
            pass

    return Handler


def _answer(request: BaseHTTPRequestHandler, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
    request.send_response(status)
    for key, value in headers:
        if key.lower() not in HOP_BY_HOP | {"date", "server", "content-encoding"}:
            request.send_header(key, value)
    request.send_header("content-length", str(len(body)))
    request.end_headers()
    if request.command != "HEAD":
        request.wfile.write(body)


def _joined(headers) -> dict[str, str]:
    """Repeated headers joined by commas, as API Gateway does it."""
    joined: dict[str, str] = {}
    for key, value in headers:
        name = key.lower()
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _asked(request: BaseHTTPRequestHandler, body: bytes) -> tuple[str, str]:
    """The action of a request, as IAM names it, and what it is asked of."""
    if target := request.headers.get("x-amz-target"):
        prefix, operation = target.rsplit(".", 1)
        service = {"DynamoDB_20120810": "dynamodb", "TrentService": "kms", "AmazonSQS": "sqs"}.get(prefix, prefix)
        return f"{service}:{operation}", body.decode(errors="replace")
    if "/scheduler/aws4_request" in request.headers.get("authorization", ""):
        return f"scheduler:{'Update' if request.command == 'PUT' else 'Create'}Schedule", request.path
    return f"s3:{request.command}", unquote(request.path)
