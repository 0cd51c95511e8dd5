"""What the runner's tests share: one execution request, and an execution begun from it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from oriel.contract import ExecuteRequest
from runner.execution import Execution, Services
from tests.runner.small_platform import Platform

CONTENT_HASH = "sha256:" + "c" * 64


def _request(**changes: Any) -> ExecuteRequest:
    context = {
        "request_id": "req_1",
        "execution_id": "exe_1",
        "tenant_id": "acme",
        "extension_id": "com.acme.reports",
        "install_id": "ins_1",
        "version_id": "ver_1",
        "version": "1.2.3",
        "content_hash": CONTENT_HASH,
        **changes.pop("context", {}),
    }
    http = {"method": "GET", "path": "/", **changes.pop("http", {})}
    return ExecuteRequest.convert({"context": context, "http": http, **changes})


@pytest.fixture
def make_request() -> Callable[..., ExecuteRequest]:
    """A request; keyword arguments replace its members, `context` and `http` are merged into the defaults."""
    return _request


@pytest.fixture
def make_execution(make_request: Callable[..., ExecuteRequest]) -> Callable[..., Execution]:
    """An execution of `make_request`; `services` goes along."""

    def make(services: Services | None = None, **changes: Any) -> Execution:
        return Execution.begin(make_request(**changes), services or Services())

    return make


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    made = Platform(tmp_path)
    yield made
    made.close()
