"""Idempotency keys: one execution for all requests that carry the same key."""

import pytest

from gateway.repeats import KEEP_MS, MARGIN_MS, MAX_KEPT_BYTES
from oriel.contract import ExecuteError
from oriel.errors import OrielError
from tests.support.gateway import MANIFEST, answer, bearer, resolution


def post(bench, key="k1", path="/notes", method="POST", *, headers=(), **call):
    return bench.call(method, path, headers=[("idempotency-key", key), *headers], **call)


@pytest.fixture
def counting(make_bench):
    """A gateway whose guest answers with the number of the execution."""
    bench = make_bench(resolution("acme"), resolution("globex"))
    bench.runner.reply = lambda _: answer(201, b"%d" % len(bench.runner.asked), ("x-ext-n", "1"), ("etag", '"e"'))
    return bench


def test_a_repeated_request_gets_the_first_answer_and_runs_once(counting):
    first, again = (post(counting, body=b"{}") for _ in range(2))
    assert (first.status, first.body, again.status, again.body) == (201, b"1", 201, b"1")
    assert len(counting.runner.asked) == 1
    for name in ("x-ext-execution-id", "x-ext-n", "etag", "content-security-policy"):
        assert again.header(name) == first.header(name)
    assert (first.header("idempotency-replayed"), again.header("idempotency-replayed")) == (None, "true")
    assert len(counting.logged()) == 1


def test_the_key_may_stand_in_quotes(counting):
    assert [post(counting, key).body for key in ('"k"', "k", "k2")] == [b"1", b"1", b"2"]


def test_without_a_key_every_request_runs(counting):
    assert [counting.call("POST", "/notes").body for _ in range(2)] == [b"1", b"2"]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_key_on_a_request_that_reads_changes_nothing(counting, method):
    for _ in range(2):
        assert post(counting, method=method, path="/notes/1").status == 201
    assert len(counting.runner.asked) == 2


@pytest.mark.parametrize(
    "other",
    [{"body": b"other"}, {"query": "a=1"}, {"headers": [("content-type", "text/plain")]}],
)
def test_another_request_under_the_same_key_is_refused(counting, other):
    assert post(counting, body=b"{}").status == 201
    got = post(counting, **({"body": b"{}"} | other))
    assert (got.status, got.code) == (422, "key_reused")
    assert len(counting.runner.asked) == 1


def test_another_path_of_the_same_route_under_the_same_key_is_refused(counting):
    assert post(counting, path="/notes/1", method="PUT").status == 201
    assert post(counting, path="/notes/2", method="PUT").code == "key_reused"


def test_keys_of_another_tenant_user_or_route_are_others(counting):
    bodies = [
        post(counting).body,
        post(counting, token=bearer("globex")).body,
        post(counting, token=bearer("acme", "member", subject="bob")).body,
        post(counting, method="PUT", path="/notes/1").body,
    ]
    assert bodies == [b"1", b"2", b"3", b"4"]


@pytest.mark.parametrize("key", ["", '""', "a b", "é", "x" * 256, 'a"b', "a\\b", "\x7f"])
def test_what_is_no_key_is_refused(counting, key):
    assert post(counting, key).code == "malformed_request"
    assert not counting.runner.asked


def test_two_keys_are_refused(counting):
    assert post(counting, headers=[("idempotency-key", "k2")]).code == "malformed_request"


def test_a_duplicate_meanwhile_gets_409_and_later_the_answer(counting):
    meanwhile = []

    def slow(_):
        if not meanwhile:
            meanwhile.append(post(counting))
        return answer(200, b"done")

    counting.runner.reply = slow
    assert post(counting).body == b"done"
    (early,) = meanwhile
    assert (early.status, early.code, early.header("retry-after")) == (409, "request_in_progress", "1")
    assert post(counting).body == b"done"
    assert len(counting.runner.asked) == 1


def test_an_answer_expires(counting):
    assert post(counting).body == b"1"
    counting.clock.now += KEEP_MS - 1
    assert post(counting).body == b"1"
    counting.clock.now += 1
    assert post(counting).body == b"2"


def test_the_claim_of_a_gateway_that_died_lapses_after_the_deadline(counting):
    def die(_):
        raise SystemExit

    counting.runner.reply = die
    with pytest.raises(SystemExit):
        post(counting)
    counting.runner.reply = answer(200, b"second")
    assert post(counting).code == "request_in_progress"
    counting.clock.now += counting.last.limits.timeout_ms + MARGIN_MS
    assert post(counting).body == b"second"


@pytest.mark.parametrize("code", ["overloaded", "unavailable", "artifact_unavailable"])
def test_what_cannot_have_begun_is_tried_again(counting, code):
    counting.runner.reply = OrielError(code)
    assert post(counting).code == code
    counting.runner.reply = answer(200, b"now")
    assert post(counting).body == b"now"


@pytest.mark.parametrize("code", ["guest_trap", "memory_limit"])
def test_a_failure_that_may_have_done_half_its_work_is_kept(counting, code):
    counting.runner.reply = answer(0, b"", error=ExecuteError(code=code, message="it ended"))
    first, again = post(counting), post(counting)
    assert first.code == again.code == code
    assert len(counting.runner.asked) == 1


@pytest.mark.parametrize("code", ["deadline_exceeded", "worker_lost"])
def test_a_run_whose_end_is_unknown_is_not_run_again(counting, code):
    counting.runner.reply = OrielError(code)
    assert [post(counting).code for _ in range(2)] == [code, code]
    assert len(counting.runner.asked) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_a_guests_own_refusal_is_an_answer(counting, status):
    counting.runner.reply = answer(status, b"later")
    assert [post(counting).status for _ in range(2)] == [status, status]
    assert len(counting.runner.asked) == 1


def test_an_answer_too_large_to_keep_is_not_made_again(counting):
    counting.runner.reply = answer(200, b"x" * (MAX_KEPT_BYTES + 1))
    first, again = post(counting), post(counting)
    assert (len(first.body), again.status, again.code) == (MAX_KEPT_BYTES + 1, 409, "answer_not_kept")
    assert first.header("x-ext-execution-id") in again.detail


def test_without_a_store_nothing_runs(counting):
    counting.repeated.away = True
    assert post(counting).code == "unavailable"
    assert not counting.runner.asked


def test_an_answer_is_given_also_where_it_cannot_be_kept(counting):
    def away(_):
        counting.repeated.away = True
        return answer(200, b"done")

    counting.runner.reply = away
    assert post(counting).body == b"done"
    counting.repeated.away = False
    assert post(counting).code == "request_in_progress"


def test_who_may_no_longer_call_gets_no_stored_answer(make_bench):
    endpoints = {"endpoints": [{"method": "POST", "path": "/notes", "roles": ["admin"]}]}
    bench = make_bench(resolution(manifest=MANIFEST | {"api": endpoints}))
    assert post(bench, token=bearer("acme", "member", "admin")).status == 200
    assert post(bench, token=bearer("acme", "member")).code == "forbidden"
