"""The two sides that are compared: Oriel with all its policy, and the stock binding without any.

Both take the same requests and must give the same answers: each call checks what came back.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.deployment import TEXT, Deployment
from benchmarks.stock import Stock
from oriel.contract import ExecuteRequest, body_fields
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
