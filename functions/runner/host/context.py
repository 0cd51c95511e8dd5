"""`oriel:extension/context`: who is asking, for whom, and with which settings."""

import secrets
import time
from typing import TypedDict

from oriel.contract import Trigger
from runner.execution import Execution


class Info(TypedDict):
    request_id: str
    execution_id: str
    tenant_id: str
    extension_id: str
    install_id: str
    version: str
    trigger: Trigger
    remaining_ms: int


def get(execution: Execution) -> Info:
    context = execution.context
    return {
        "request_id": context.request_id,
        "execution_id": context.execution_id,
        "tenant_id": context.tenant_id,
        "extension_id": context.extension_id,
        "install_id": context.install_id,
        "version": context.version,
        "trigger": context.trigger,
        "remaining_ms": int(execution.remaining() * 1000),
    }


def config(execution: Execution, key: str) -> str | None:
    return execution.context.config.get(key)


def config_all(execution: Execution) -> list[tuple[str, str]]:
    return sorted(execution.context.config.items())


def now_ms(_execution: Execution) -> int:
    return time.time_ns() // 1_000_000


def random_u64(_execution: Execution) -> int:
    return secrets.randbits(64)
