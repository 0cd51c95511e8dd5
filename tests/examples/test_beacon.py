"""Beacon, a standard component, executed by a real runner: what it keeps, and what it may reach."""

import json

from tests.support.examples import ADMIN, EXAMPLES, built

ORDERS = {"name": "Orders", "url": "https://status.acme.example/orders"}


def test_it_is_a_standard_component_that_also_imports_storage():
    imports = built(EXAMPLES / "beacon").imports()
    assert "wasi:http/types@0.2.10" in imports
    assert "oriel:extension/storage@1.0.0" in imports


def test_the_board_starts_empty(beacon):
    assert beacon().json("GET", "/board") == {"services": [], "notices": []}


def test_notices_are_kept_newest_first_and_can_be_removed(beacon):
    app = beacon()
    first = app.json("POST", "/notices", {"text": "Gate 3 is slow.", "level": "trouble"})
    second = app.json("POST", "/notices", {"text": "Gate 3 is fine again."})
    kept = app.json("GET", "/board")["notices"]
    assert {notice["id"] for notice in kept} == {first["id"], second["id"]}
    assert app.call("DELETE", f"/notices/{first['id']}").status == 204
    assert [notice["text"] for notice in app.json("GET", "/board")["notices"]] == ["Gate 3 is fine again."]
    assert app.call("DELETE", f"/notices/{first['id']}").status == 404


def test_every_request_has_its_own_randomness(beacon):
    app = beacon()
    ids = {app.json("POST", "/notices", {"text": "again"})["id"].split("-")[1] for _ in range(5)}
    assert len(ids) == 5


def test_what_is_wrong_with_a_notice_is_said(beacon):
    answer = beacon().call("POST", "/notices", {"text": "", "level": "note"})
    assert answer.status == 422
    assert dict(answer.headers)["content-type"] == "application/problem+json"
    assert "1 to 280 characters" in json.loads(answer.body())["detail"]
    assert beacon().call("POST", "/notices", b"{").status == 400


def test_a_service_that_cannot_be_reached_is_said_so_and_the_log_says_why(beacon):
    app = beacon(config={"services": [ORDERS]})  # the tests' runner sends no requests at all
    answer = app.call("GET", "/board")
    (service,) = json.loads(answer.body())["services"]
    assert (service["name"], service["state"], service["status"]) == ("Orders", "unreachable", None)
    assert answer.logs[0].message.startswith("a request failed: ")
    assert answer.logs[-1].fields == {"stream": "stdout"}


def test_without_the_grant_fetch_is_refused_and_counted(beacon):
    answer = beacon(config={"services": [ORDERS]}, withheld=("http.fetch",)).call("GET", "/board")
    assert json.loads(answer.body())["services"][0]["state"] == "unreachable"
    assert answer.receipt.denied_calls == 1
    assert answer.receipt.host_calls > 1


def test_without_storage_a_request_fails_in_plain_words(beacon):
    answer = beacon(withheld=("storage.kv",)).call("GET", "/board", user=ADMIN)
    assert answer.status == 500
    assert answer.logs[-1].level == "error"
    assert "GET /board failed" in answer.logs[-1].message
