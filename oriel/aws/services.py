"""Clients of the services that the functions ask while somebody waits.

DynamoDB, KMS, SQS and Secrets Manager speak one protocol, JSON over POST, so that one client serves all of them:

    JsonClient("dynamodb", target).get_item(TableName=…, Key=…)

Rules kept here:

- An operation is called by its name in snake case, with its documented parameters; its answer is the documented one.
- Bytes go out in base64. They come back as bytes from DynamoDB, whose values name their type, and in base64 from
  the others.
- A refusal is `Refused`, with the service's code. `NoAnswer` says that there was none.
"""

import base64
import http.client
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from oriel.aws.credentials import Credentials, source_of
from oriel.aws.signature import signed_headers
from oriel.aws.target import Target
from oriel.connections import Connections, NoAnswer

__all__ = ["Client", "JsonClient", "LambdaClient", "NoAnswer", "Refused"]

Answer = dict[str, Any]
READ_SECONDS = 5.0

_PROTOCOLS: Mapping[str, tuple[str, str]] = {
    "dynamodb": ("DynamoDB_20120810", "1.0"),
    "kms": ("TrentService", "1.1"),
    "sqs": ("AmazonSQS", "1.0"),
    "secretsmanager": ("secretsmanager", "1.1"),
    "codedeploy": ("CodeDeploy_20141006", "1.1"),
    "events": ("AWSEvents", "1.1"),
}


class Refused(Exception):
    """The service's own error.

    Attributes:
        code: its name, `ConditionalCheckFailedException`.
        answer: all that was said.
    """

    def __init__(self, code: str, status: int, answer: Mapping[str, Any]) -> None:
        self.code, self.status, self.answer = code, status, answer
        super().__init__(f"{code} ({status}): {answer.get('message') or answer.get('Message') or ''}")


class Client:
    """Signs and sends to one service. Safe to share between threads; not across a fork."""

    def __init__(
        self,
        service: str,
        target: Target,
        credentials: Credentials | None = None,
        *,
        read_seconds: float = READ_SECONDS,
    ) -> None:
        self._service, self._region = service, target.region_name()
        self._credentials = source_of(credentials)
        self.connections = Connections(target.url(service), read_seconds=read_seconds)

    def signed(
        self, method: str, path: str, query: str = "", headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> dict[str, str]:
        """The headers of a request, with those that sign it."""
        return signed_headers(
            self._credentials(),
            service=self._service,
            region=self._region,
            method=method,
            path=path,
            query=query,
            headers={**(headers or {}), "host": self.connections.host},
            body=body,
        )

    def close(self) -> None:
        self.connections.close()


class JsonClient(Client):
    """One of the services that speak AWS's JSON protocol."""

    def __getattr__(self, operation: str) -> Callable[..., Answer]:
        if operation.startswith("_"):
            raise AttributeError(operation)
        name = "".join(part.capitalize() for part in operation.split("_"))
        return lambda **asked: self._send(name, asked)

    def _send(self, operation: str, asked: Mapping[str, Any]) -> Answer:
        prefix, version = _PROTOCOLS[self._service]
        body = json.dumps(asked, default=_base64, separators=(",", ":")).encode()
        given = {"content-type": f"application/x-amz-json-{version}", "x-amz-target": f"{prefix}.{operation}"}
        headers = self.signed("POST", "/", headers=given, body=body)
        with self.connections.request("POST", "/", headers, body) as answer:
            raw = answer.read()
        if answer.status != 200:
            raise refusal(answer, raw)
        hook = _binary if self._service == "dynamodb" else None
        parsed: Answer = json.loads(raw, object_hook=hook) if raw else {}
        return parsed


class LambdaClient(Client):
    """Invokes functions."""

    def __init__(self, target: Target, credentials: Credentials | None = None) -> None:
        super().__init__("lambda", target, credentials)
        function, _, qualifier = _split(target.name)
        self._path = f"/2015-03-31/functions/{quote(function, safe='')}/invocations"
        self._query = f"Qualifier={quote(qualifier, safe='')}" if qualifier else ""

    def invoke(self, payload: bytes, *, seconds: float, tenant_id: str | None = None) -> tuple[str | None, bytes]:
        """Call the function and wait for its answer.

        Args:
            seconds: to wait.
            tenant_id: whose execution environment is to take the call, where the function keeps tenants apart.

        Returns:
            the kind of error, where the function did not end well (`Unhandled`), and what it answered.

        Raises:
            Refused
            NoAnswer
        """
        given = {"content-type": "application/json"} | ({"x-amz-tenant-id": tenant_id} if tenant_id else {})
        headers = self.signed("POST", self._path, self._query, given, payload)
        target = f"{self._path}?{self._query}" if self._query else self._path
        with self.connections.request("POST", target, headers, payload, seconds=seconds) as answer:
            raw = answer.read()
        if answer.status != 200:
            raise refusal(answer, raw)
        return answer.headers.get("x-amz-function-error"), raw


def refusal(answer: http.client.HTTPResponse, raw: bytes) -> Refused:
    """What an answer in JSON that is no success means."""
    try:
        said = json.loads(raw)
        said = said if isinstance(said, dict) else {}
    except ValueError:
        said = {}
    named = answer.headers.get("x-amzn-errortype") or said.get("__type") or said.get("code") or "Unknown"
    code = str(named).rpartition("#")[2].partition(":")[0]
    return Refused(code, answer.status, said)


def _split(function: str) -> tuple[str, str, str]:
    """A function's name or ARN, and its version or alias."""
    if function.startswith("arn:"):
        parts = function.split(":", 7)
        return ":".join(parts[:7]), ":", parts[7] if len(parts) > 7 else ""
    return function.partition(":")


def _base64(value: object) -> str:
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode()
    raise TypeError(f"{type(value).__name__} is no JSON")


def _binary(value: dict[str, Any]) -> dict[str, Any]:
    """DynamoDB's binary values as bytes; an object with these names and other contents is somebody's map."""
    if len(value) == 1:
        match value:
            case {"B": str() as text}:
                return {"B": base64.b64decode(text)}
            case {"BS": [*texts]}:
                return {"BS": [base64.b64decode(text) for text in texts]}
    return value
