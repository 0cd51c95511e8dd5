"""Commands that look at what ran, and those that run it again."""

import csv
import io
import json
import time

import pytest

from tests.guests import hostile
from tests.runner.test_replaying import MOMENT, ONLY_THE_TIME
from tests.support.platform import publish_and_install
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
def logging(platform):
    return publish_and_install(platform, hostile.LOG_ONCE, name="com.acme.watched")


@pytest.fixture(scope="module")
def moment(platform):
    return publish_and_install(platform, MOMENT, name="com.acme.moment")


def test_logs_show_what_an_extension_has_said(oriel, local, logging):
    oriel("call", logging, "/")
    shown = eventually(lambda: oriel("logs", logging, "--level", "info", "--grep", "HELLO").out)
    assert "info  com.acme.watched  hello" in shown
    assert json.loads(oriel("logs", logging, "--limit", 1, "--json").out)["message"] == "hello"
    assert oriel("logs", logging, "--grep", "nothing of it").out == ""


def test_logs_followed_show_each_line_once(oriel, local, logging, monkeypatch):
    oriel("call", logging, "/")
    first = eventually(lambda: oriel("executions", logging, "--json").json)
    polls = []

    def pause(_seconds):
        if len(polls) == 40:
            raise KeyboardInterrupt
        if not polls:
            oriel_call(local, logging)
        polls.append(1)
        real(0.1)

    real = time.sleep
    monkeypatch.setattr("oriel.cli.watching.time.sleep", pause)
    followed = oriel("logs", logging, "--follow", "--json", "--limit", 1_000)
    ids = [json.loads(line)["execution_id"] for line in followed.out.splitlines()]
    assert len(ids) == len(set(ids)) > len(first)


def oriel_call(platform, name):
    from tests.support.platform import client

    with client(platform) as caller:
        assert caller.call(name, "/").status_code == 200


def test_executions_are_searched(oriel, local, logging):
    oriel("call", logging, "/")
    found = eventually(lambda: oriel("executions", logging, "--since", "1h", "--outcome", "succeeded", "--json").json)
    request_id = found[0]["request_id"]
    assert [item["request_id"] for item in oriel("executions", "--request", request_id, "--json").json] == [request_id]
    assert oriel("executions", logging, "--code", "guest_trap", "--json").json == []
    ids = ("--install", found[0]["install_id"], "--hash", found[0]["content_hash"], "--trigger", "http")
    assert oriel("executions", logging, *ids, "--until", "2999-01-01", "--json").json
    assert oriel("executions", logging, "--trigger", "event", "--json").json == []
    refused = oriel("executions", "--since", "soon")
    assert (refused.code, "15m" in refused.err) == (1, True)


def test_usage_is_printed_as_csv(oriel, local, logging):
    oriel("call", logging, "/")
    eventually(lambda: oriel("usage", "--json").json)
    for option, tenants in (("--csv", {"northwind"}), ("--all-tenants", {"northwind"})):
        rows = list(csv.DictReader(io.StringIO(oriel("usage", option).out)))
        assert {row["tenant_id"] for row in rows} == tenants


def test_a_call_is_kept_fetched_and_replayed(oriel, local, moment, tmp_path):
    called = oriel("call", moment, "/", "--record", "--json")
    answer, execution = called.json, called.json["headers"]["x-ext-execution-id"]
    assert answer["headers"]["x-ext-recorded"] == "kept"
    assert "duration-ms=" in answer["headers"]["x-ext-receipt"]
    eventually(lambda: oriel("fixture", execution).code == 0)
    kept = tmp_path / "fixtures" / f"{execution}.json"
    assert kept.stat().st_mode & 0o077 == 0
    assert [line["execution_id"] for line in oriel("fixtures", moment, "--json").json] == [execution]

    (tmp_path / "same.wasm").write_bytes(MOMENT)
    (tmp_path / "newer.wasm").write_bytes(ONLY_THE_TIME)
    same = oriel("replay", kept, "--against", "same.wasm", "--json")
    assert (same.code, same.json["same"]) == (0, True)
    newer = oriel("replay", kept, "--against", "newer.wasm")
    assert newer.code == 1
    assert "a host call that is missing differs, at host call 2" in newer.out
    assert "random-u64" in newer.err


def test_the_fixtures_of_a_project_are_its_tests(oriel, local, moment, tmp_path):
    execution = oriel("call", moment, "/", "--record", "--json").json["headers"]["x-ext-execution-id"]
    eventually(lambda: oriel("fixture", execution, "--out", "fixtures/moment.json").code == 0)
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "main.wasm").write_bytes(MOMENT)
    passed = oriel("test", "--max-cpu-ms", 5_000, "--max-memory-mb", 16)
    assert (passed.code, "moment.json" in passed.out, "the same" in passed.out) == (0, True, True)
    over = oriel("test", "--max-memory-mb", 0.01, "--json")
    assert (over.code, "over 0.01" in over.json[0]["problem"]) == (1, True)
    (tmp_path / "dist" / "main.wasm").write_bytes(hostile.HELLO)
    assert oriel("test").code == 1
    (tmp_path / "fixtures" / "moment.json").unlink()
    assert "no fixtures" in oriel("test").err


def test_who_may_not_record_is_refused_and_nothing_runs(local, moment):
    from tests.support.platform import client

    with client(local, "member") as member:
        refused = member.call(moment, "/", headers=[("x-ext-record", "1")])
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
        plain = member.call(moment, "/")
        assert plain.status_code == 200
        assert not {"x-ext-receipt", "x-ext-recorded"} & set(plain.headers)
        assert plain.headers["server-timing"].startswith("queue;dur=")
