"""The two sides that are compared: Oriel with all its policy, and the stock binding without any.

Both take the same requests and must give the same answers: each call checks what came back.
"""

import http.client
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from benchmarks.deployment import LOOPBACK, TEXT, Deployment
from benchmarks.stock import Stock
from oriel.contract import ExecuteRequest, ExecuteResponse, body_fields
from oriel.identity import ServiceTokenSigner
from oriel.keyring import Keyring
from runner.core import Runner

Work = Callable[[], None]


@dataclass(slots=True)
class Oriel:
    """`Runner.execute`, as a worker process calls it: request in, answer and receipt out.

    Bodies are text or bytes in its messages, as they are on the stock side.
    """

    deployment: Deployment
    runner: Runner

    def work(self, request: ExecuteRequest, expected: bytes) -> Work:
        """What executes `request` once."""
        packed = tuple(body_fields(expected).values())

        def work() -> None:
            response = self.runner.execute(request)
            if response.error is not None or (response.body_text, response.body_bytes) != packed:
                raise RuntimeError(
                    f"Oriel answers {response.status} {response.error} with {len(response.body())} bytes"
                )

        return work


@dataclass(slots=True)
class Bare:
    """`Stock.call`, from a body in bytes to a body in bytes."""

    deployment: Deployment
    components: dict[str, Stock] = field(default_factory=dict)

    def work(self, guest: str, request: ExecuteRequest, expected: bytes, *, case: str | None = None) -> Work:
        """What executes `request` once; its body crosses in `case`, by default as Oriel's runner chooses."""
        if guest not in self.components:
            self.components[guest] = Stock(guest, self.deployment.component(guest))
        stock = self.components[guest]
        body = request.http.body()
        case = case or ("text" if ("content-type", TEXT) in request.http.headers else "bytes")

        def work() -> None:
            status, _, answer = stock.call(request.http, body, case)
            if answer != expected:
                raise RuntimeError(f"the stock binding answers {status} with {len(answer)} bytes")

        return work


def over_http(
    connection: http.client.HTTPConnection, method: str, path: str, body: bytes, headers: Mapping[str, str]
) -> tuple[int, bytes]:
    """Status and body of one request, over a new connection where the server has closed the one that idled."""
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
    except ConnectionError:
        connection.close()
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
    return answer.status, answer.read()


def worker_over_http(port: int, deployment: Deployment, guest: str, expected: bytes) -> Work:
    """What asks a worker process once for a guest's `GET /hello`, as the gateway asks, on a connection kept open."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=30)
    signer = ServiceTokenSigner(Keyring.open(deployment.settings().keyring_path).service_key)
    request = deployment.request(guest)
    body = request.to_json()

    def work() -> None:
        headers = {"authorization": f"Bearer {signer.mint(body, request.context)}", "content-type": "application/json"}
        status, data = over_http(connection, "POST", "/v1/execute", body, headers)
        if status != 200 or ExecuteResponse.from_json(data).body() != expected:
            raise RuntimeError(f"the worker answers {status}: {data!r}")

    return work
