"""The customers' answers, executed by a real runner."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from oriel.manifest import Manifest
from tests.support.examples import EXAMPLES

HAPPY = {"score": 10, "customer": "Brasserie Lumen", "comment": "Always on time."}
UNHAPPY = {"score": 2, "customer": "Deli Marchetti", "comment": "Two crates came late."}


def test_the_board_starts_without_a_score_and_with_the_tenants_question(pulse):
    board = pulse(config={"question": "Well?"}).json("GET", "/board")
    assert (board["question"], board["score"], board["answers"]) == ("Well?", None, 0)
    assert len(board["weeks"]) == 13


def test_answers_make_the_score_and_the_counts(pulse):
    app = pulse()
    for score in (10, 9, 8, 3):
        app.json("POST", "/answers", {"score": score})
    board = app.json("GET", "/board")
    assert (board["score"], board["answers"]) == (25, 4)
    assert [board["counts"][mark] for mark in (3, 8, 9, 10)] == [1, 1, 1, 1]
    assert board["weeks"][-1]["answers"] == 4


def test_two_answers_in_the_same_moment_are_both_counted(pulse):
    app = pulse()
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: app.call("POST", "/answers", HAPPY), range(8)))
    assert [answer.status for answer in answers] == [201] * 8
    assert app.json("GET", "/board")["counts"][10] == 8


def test_answers_come_in_pages_that_lose_none(pulse):
    app = pulse()
    for number in range(23):
        app.json("POST", "/answers", {**HAPPY, "comment": str(number)})
    first = app.json("GET", "/answers")
    second = app.json("GET", "/answers", query=f"cursor={first['cursor']}")
    assert (len(first["answers"]), len(second["answers"]), second["cursor"]) == (20, 3, None)
    assert {answer["comment"] for answer in first["answers"] + second["answers"]} == set(map(str, range(23)))


def test_a_forgotten_answer_leaves_the_score(pulse):
    app = pulse()
    app.json("POST", "/answers", HAPPY)
    unhappy = app.json("POST", "/answers", UNHAPPY)
    answer = app.call("DELETE", f"/answers/{unhappy['id']}")
    assert (answer.status, answer.body()) == (204, b"")
    assert app.json("GET", "/board")["score"] == 100
    assert app.call("DELETE", f"/answers/{unhappy['id']}").status == 404


def test_a_mark_that_is_none_is_refused_with_its_field(pulse):
    app = pulse()
    for score in (11, -1, 4.5, "7", None):
        answer = app.call("POST", "/answers", {"score": score})
        assert answer.status == 422
        assert json.loads(answer.body())["field"] == "score"
    assert app.call("POST", "/answers", b"[").status == 400


def test_an_alert_that_cannot_be_sent_is_logged_and_the_answer_is_kept(pulse):
    app = pulse(config={"webhook_url": "https://hooks.acme.example/alerts"})
    answer = app.call("POST", "/answers", UNHAPPY)
    assert (answer.status, json.loads(answer.body())["alert"]) == (201, "failed")
    assert [line.message for line in answer.logs] == ["the alert was not sent"]
    assert app.json("GET", "/board")["answers"] == 1


def test_without_a_webhook_nothing_is_fetched(pulse):
    assert pulse().json("POST", "/answers", UNHAPPY)["alert"] == "off"


def test_times_are_the_hosts_and_not_the_builds(pulse):
    at = datetime.fromisoformat(pulse().json("POST", "/answers", HAPPY)["at"])
    assert abs(datetime.now(UTC) - at) < timedelta(minutes=1)


def test_forgetting_is_for_administrators():
    endpoints = Manifest.parse((EXAMPLES / "pulse/manifest.json").read_bytes()).api.endpoints
    assert [endpoint.roles for endpoint in endpoints if endpoint.method == "DELETE"] == [("admin",)]
