"""A secret's value is nowhere but in its seal: not in a log, an error, a receipt, a trace, an answer or a file."""

import base64
import json
import logging
from contextlib import closing

import pytest

from oriel import telemetry
from oriel.store import open_store
from tests.guests.build import guest
from tests.support.platform import client, publish_and_install, running
from tests.support.waiting import eventually

CANARY = "canary-7d41c09e-sk-live"
OTHER = "canary-b2f7aa10-rotated"
ASKED = [{"name": "secrets.get", "purpose": "To sign in."}]

TELLS_ITS_LOG = guest(
    """(call $secrets.get (i32.const 1024) (i32.const 5) (i32.const 128))
       (call $log.emit (i32.const 3) (i32.load (i32.const 136)) (i32.load (i32.const 140)) (i32.const 0) (i32.const 0))
       (call $respond (i32.const 200) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 1024) (i32.const 5))""",
    imports=("secrets.get", "log.emit"),
    data="TOKEN",
)
"""Reads the secret TOKEN, writes it into its log, and answers with the name."""

TRAPS_WITH_IT = guest(
    """(call $secrets.get (i32.const 1024) (i32.const 5) (i32.const 128))
       (call $log.emit (i32.const 3) (i32.load (i32.const 136)) (i32.load (i32.const 140)) (i32.const 0) (i32.const 0))
       unreachable""",
    imports=("secrets.get", "log.emit"),
    data="TOKEN",
)


def forms(value):
    """The value as it might be written somewhere."""
    raw = value.encode()
    whole = base64.b64encode(raw).rstrip(b"=")
    shifted = (base64.b64encode(b"." * pad + raw)[4:-4] for pad in (1, 2))
    return (raw, raw[::-1], raw.hex().encode(), value.encode("utf-16-le"), whole[:-2], *shifted)


def leaks(where, data):
    return [where for value in (CANARY, OTHER) for form in forms(value) if form in data]


@pytest.fixture
def platform(tmp_path, capfd, collector):
    """A platform of its own that logs and traces all it can, also from its workers."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    telemetry.configure("debug")
    with running(tmp_path, log_level="debug", otlp_endpoint=collector.url, trace_share=1.0) as up:
        yield up
    root.handlers[:] = before[0]
    root.setLevel(before[1])


def answers_of(http, extension):
    """Every route that has to do with the secret, used well and badly."""
    path = f"/api/v1/installs/{extension}/secrets"
    for name, body in (
        ("TOKEN", {"value": CANARY}),
        ("1bad", {"value": CANARY}),
        ("TOKEN", {"value": {"nested": CANARY}}),
        ("TOKEN", {"valu": CANARY}),
        ("TOKEN", {"value": CANARY, "hosts": ["http://x"]}),
        ("TOKEN", {"value": CANARY * 2_000}),
        ("TOKEN", {"value": OTHER}),
        ("TOKEN", {"value": CANARY}),
    ):
        yield http.send("PUT", f"{path}/{name}", json=body)
    yield http.send(
        "PUT", f"{path}/TOKEN", content=f'{{"value": "{CANARY}"', headers={"content-type": "application/json"}
    )
    for method, where in (
        ("GET", path),
        ("GET", f"/api/v1/installs/{extension}"),
        ("GET", "/api/v1/installs"),
        ("GET", f"/api/ext/{extension}/"),
        ("POST", f"/api/ext/{extension}/"),
        ("GET", "/api/v1/usage?since=2020-01-01&until=2100-01-01"),
        ("GET", "/api/v1/quotas"),
        ("POST", "/api/v1/data-key/rotate"),
        ("GET", "/api/v1/data-key"),
    ):
        yield http.send(method, where)


def test_a_secret_is_in_no_log_error_receipt_trace_answer_audit_or_file(platform, collector, tmp_path, capfd):
    logs = publish_and_install(platform, TELLS_ITS_LOG, name="com.acme.logs", capabilities=ASKED, grants=GRANTED)
    traps = publish_and_install(platform, TRAPS_WITH_IT, name="com.acme.traps", capabilities=ASKED, grants=GRANTED)
    found, answers = [], []
    with client(platform) as http:
        for extension in (logs, traps):
            answers += answers_of(http, extension)
        executions = finished(http, 4)
        answers += [http.send("GET", f"/api/v1/executions/{entry['execution_id']}") for entry in executions]
        rotated = resealed(http)
        answers.append(http.send("GET", f"/api/ext/{logs}/"))
    for answer in answers:
        found += leaks(f"answer of {answer.request.url}", answer.content + str(answer.headers).encode())
    # The guest did have the value: it tried to tell it, and was cut.
    messages = [line["message"] for entry in executions for line in entry["logs"]]
    assert len(messages) == 4
    assert (rotated["resealed"], rotated["failed"]) == (2, 0)
    printed = capfd.readouterr()
    assert "execution" in printed.err
    found += leaks("logs", (printed.out + printed.err).encode())
    with closing(open_store(platform.settings.store_url)) as store:
        audit = [store.list_audit(tenant_id, limit=100) for tenant_id in (None, "northwind")]
    found += leaks("audit", repr(audit).encode())
    found += leaks("traces", json.dumps(traced(collector)).encode())
    for file in tmp_path.rglob("*"):
        if file.is_file() and file.name != "keyring.json":
            found += leaks(str(file), file.read_bytes())
    assert found == []


GRANTED = ({"capability": "secrets.get"},)


def finished(http, count):
    """The executions, once all are in the log."""
    return eventually(lambda: http.listing("/executions"), lambda found: len(found) >= count)


def traced(collector):
    """All that was exported, once the call that reads the secret is in it."""
    eventually(lambda: collector.spans, lambda spans: "oriel:extension/secrets.get" in spans)
    return collector.bodies


def resealed(http):
    """The last rotation, once all is sealed anew."""
    return eventually(lambda: http.api("GET", "/data-key"), lambda rotation: rotation["resealed_at"])


def test_the_search_finds_what_is_there():
    for value in (CANARY, OTHER):
        for text in (
            value.encode(),
            json.dumps({"a": value}).encode(),
            base64.b64encode(b"x" + value.encode() + b"yz"),
        ):
            assert leaks("here", b"before" + text + b"after") == ["here"]
