"""Answers to CloudFormation, which calls a function in the course of a deployment and waits for its word.

Source: AWS CloudFormation, custom resource request and response objects.
"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from oriel.connections import Connections

ANSWER_SECONDS = 10
REASON_CHARACTERS = 1_000


def done(data: Mapping[str, Any]) -> dict[str, Any]:
    """What is said of a resource that is as it was asked for; `data` is what the template may read of it."""
    return {"Status": "SUCCESS", "Data": dict(data)}


def failed(reason: str) -> dict[str, Any]:
    """What is said of one that is not; the deployment fails with the reason in its events."""
    return {"Status": "FAILED", "Reason": reason[:REASON_CHARACTERS]}


def answer(event: Mapping[str, Any], said: Mapping[str, Any], physical_id: str) -> dict[str, Any]:
    """Tell CloudFormation; what it was told.

    Args:
        physical_id: the same for ever, where an update replaces nothing.

    Raises:
        NoAnswer: it cannot be told; it waits for the resource's whole time then.
        RuntimeError: its address, which is signed for a PUT without a content type, does not take it.
    """
    ids = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    told = {**said, **ids, "PhysicalResourceId": event.get("PhysicalResourceId") or physical_id}
    url = str(event["ResponseURL"])
    parts = urlsplit(url)
    connections = Connections(url, read_seconds=ANSWER_SECONDS)
    body = json.dumps(told).encode()
    with connections.request("PUT", f"{parts.path}?{parts.query}", {"content-type": ""}, body) as got:
        got.read()
        if got.status != 200:
            raise RuntimeError(f"CloudFormation's address answered {got.status}")
    return told
