"""The functions as `sam build` makes them, under Lambda's runtime emulator and its runtime client, against moto.

Cold: from the start of the process to its first answer, seen from outside; for the runner with the artifact of the
JavaScript guest in S3 and nothing on disk. Beside them a function that does nothing: what emulator, interpreter and
runtime client take by themselves. They take turns, so that a machine that slows down slows all of them. Warm: a call of
the runner beyond what its receipt says the execution took.
Packages are measured as they are built, the layer with the runner.
"""

import importlib
import json
import logging
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks import guests
from benchmarks.measure import Result, median
from oriel.aws import Target
from oriel.aws.keys import SecretKey
from oriel.bundle import Packed, content_hash
from oriel.contract import ExecuteRequest
from oriel.identity import ServiceTokenSigner
from tests.support.aws import CREDENTIALS, REGION, moto_endpoint
from tests.support.aws_platform import AwsPlatform
from tests.support.lambdas import Emulated, built

COLD, WARM = 7, 100
platforms: Any = importlib.import_module("tests.support.platform")
MEGABYTE = 1_000_000


def run() -> Iterator[Result]:
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # moto's, which tells of each request
    with tempfile.TemporaryDirectory() as folder, AwsPlatform(Path(folder)) as platform:
        extension_id = _published(platform)
        call = _RunnerCalls(platform)
        hello = _event(platform, f"/api/ext/{extension_id}/{guests.HELLO}")
        listing = _event(platform, "/api/v1/extensions")
        starts: dict[str, Callable[[], float]] = {
            "trivial": lambda: _trivial(Path(folder)),
            "runner": lambda: _cold(platform, "RunnerFunction", call()),
            "gateway": lambda: _cold(platform, "GatewayFunction", hello),
            "registry": lambda: _cold(platform, "RegistryFunction", listing),
        }
        rounds = [{name: start() for name, start in starts.items()} for _ in range(COLD)]
        for name in starts:
            yield Result(f"lambda.{name}.cold_ms", median([times[name] for times in rounds]), "ms")
        yield Result("lambda.warm_overhead_ms", _overhead(platform, call), "ms")
    for name, folders in {"runner": ("RunnerFunction", "WasmtimeLayer"), "gateway": ("GatewayFunction",)}.items():
        yield Result(f"package.{name}_mb", sum(_size(built() / part) for part in folders) / MEGABYTE, "MB")


def _published(platform: Any) -> str:
    """The JavaScript guest, published, installed and called once; its id."""
    platforms.register_acme(platform)
    made = guests.load(guests.JAVASCRIPT)
    manifest = made.manifest
    envelope = platforms.envelope(Packed(made.bundle, content_hash(made.bundle), manifest))
    with platforms.client(platform) as author:
        author.publish(made.bundle, envelope)
        author.install(manifest.name, grants=[])
        answer = author.call(manifest.name, f"/{guests.HELLO}")
    if answer.status_code != 200:
        raise RuntimeError(f"the guest answered {answer.status_code}: {answer.text}")
    return str(manifest.name)


def _event(platform: Any, path: str) -> dict[str, Any]:
    http = {"method": "GET", "path": path, "sourceIp": "127.0.0.1"}
    headers = {
        "authorization": f"Bearer {platforms.token(platform)}",
        "host": "api.example.com",
        "accept": "application/json",
    }
    context = {"http": http, "domainName": "api.example.com", "stage": "$default", "requestId": "r"}
    return {"version": "2.0", "rawPath": path, "rawQueryString": "", "headers": headers, "requestContext": context}


class _RunnerCalls:
    """Calls of the runner, each with a token of its own, of what the gateway last asked of it."""

    def __init__(self, platform: Any) -> None:
        self._body = json.loads(platform.last_call)["body"]
        arn = platform.stack.environment["GatewayFunction"]["ORIEL_SERVICE_SECRET"].partition(":")[2]
        secret = SecretKey(Target(arn, REGION, moto_endpoint()), "service", CREDENTIALS)
        self._signer = ServiceTokenSigner(secret.private)
        secret.close()

    def __call__(self) -> dict[str, str]:
        request = ExecuteRequest.from_json(self._body.encode())
        return {"token": self._signer.mint(self._body.encode(), request.context), "body": self._body}


def _cold(platform: Any, function: str, event: dict[str, Any]) -> float:
    began = time.perf_counter()
    with closing(platform.new_environment(function)) as environment:
        answer = environment.call(event)
        taken = (time.perf_counter() - began) * 1000
    if (answer.get("statusCode") or answer.get("status")) != 200:
        raise RuntimeError(f"{function} answered {answer}")
    return taken


def _trivial(folder: Path) -> float:
    """The same of a handler that imports nothing and answers at once."""
    folder.joinpath("trivial.py").write_text("def handler(event, context):\n    return {'statusCode': 200}\n")
    began = time.perf_counter()
    with closing(Emulated(folder, [], "trivial.handler", {}, folder / "trivial.log")) as environment:
        environment.call({})
        return (time.perf_counter() - began) * 1000


def _overhead(platform: Any, call: _RunnerCalls) -> float:
    runner, beyond = platform.function("RunnerFunction"), []
    for _ in range(WARM):
        event = call()
        began = time.perf_counter()
        answer = json.loads(runner.call(event)["body"])
        beyond.append((time.perf_counter() - began) * 1000 - answer["receipt"]["duration_ms"])
    return median(beyond[WARM // 10 :])


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
