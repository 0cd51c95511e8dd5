"""One request through the gateway's core: what reaches the guest, what comes back, what is remembered."""

import logging

import pytest

from oriel.contract import ExecuteError, Metric
from oriel.errors import CATALOGUE, OrielError
from tests.support.gateway import EXTENSION, MANIFEST, ORIGIN, answer, resolution

# to the guest


def test_path_query_and_parameters_reach_the_guest(bench):
    bench.call(path="/notes/a%20b", query="q=%2F..&q=2&empty=&x")
    http = bench.last.http
    assert (http.method, http.path, http.query) == ("GET", "/notes/a%20b", "q=%2F..&q=2&empty=&x")
    assert (http.route, http.params) == ("/notes/:id", (("id", "a b"),))


def test_repeated_headers_reach_the_guest_in_their_order(bench):
    headers = [("x-ext-tag", "b"), ("accept", "text/html"), ("x-ext-tag", "a"), ("accept", "*/*")]
    bench.call(headers=headers)
    assert bench.last.http.headers == tuple(headers)


@pytest.mark.parametrize(
    "name",
    [
        "authorization",
        "cookie",
        "connection",
        "transfer-encoding",
        "te",
        "upgrade",
        "proxy-authorization",
        "forwarded",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-real-ip",
        "host",
        "origin",
        "referer",
        "x-tenant-id",
        "x-api-key",
        "x-ext-execution-id",
        "x-oriel-service",
    ],
)
def test_headers_off_the_allowlist_do_not_reach_the_guest(bench, name):
    bench.call(headers=[(name, "acme")] if name != "authorization" else [])
    assert name not in {key for key, _ in bench.last.http.headers}


@pytest.mark.parametrize("value", ["a\r\nset-cookie: x", "a\0b", "a\nb", "a\x7fb", "x" * 9000])
def test_a_header_that_could_be_split_is_refused(bench, value):
    got = bench.call(headers=[("x-ext-tag", value)])
    assert (got.status, got.code) == (400, "malformed_request")
    assert not bench.runner.asked


def test_a_binary_body_reaches_the_guest(bench):
    body = bytes(range(256))
    bench.call("POST", "/notes", body=body)
    assert bench.last.http.body() == body


def test_the_context_names_the_execution(bench):
    bench.call()
    context = bench.last.context
    assert (context.request_id, context.extension_id, context.version) == ("req_1", EXTENSION, "1.0.0")
    assert context.execution_id.startswith("exe_")


def test_the_configuration_reaches_the_guest_as_text(make_bench):
    settings = {"type": "object", "properties": {"greeting": {"type": "string", "default": "hi"}, "size": {}}}
    bench = make_bench(resolution(manifest=MANIFEST | {"settings": settings}, config={"size": 3}))
    bench.call()
    assert bench.last.context.config == {"greeting": "hi", "size": "3"}


@pytest.mark.parametrize("path", ["/../x", "/%2e%2e/x", "/a%2fb", "/notes//1", "/a;b", "/.env", "/%00", "/..%5cx"])
def test_a_hostile_path_is_refused(bench, path):
    got = bench.call(path=path)
    assert (got.status, got.code) == (400, "invalid_path")
    assert not bench.runner.asked


@pytest.mark.parametrize("name", ["../notes", "COM.ACME", "a", "%2e%2e", "com.acme.notes\0", "x" * 200, ""])
def test_a_name_that_no_extension_has_is_never_looked_up(bench, name):
    got = bench.call(extension_id=name)
    assert (got.status, got.code) == (404, "extension_not_installed")
    assert not bench.source.reads


def test_a_body_over_the_limit_is_refused(make_bench):
    bench = make_bench(max_body_bytes=10)
    assert bench.call("POST", "/notes", body=b"x" * 10).status == 200
    got = bench.call("POST", "/notes", body=b"x" * 11)
    assert (got.status, got.code) == (413, "body_too_large")


# from the guest


def test_the_guests_own_headers_come_from_its_answer(bench):
    bench.runner.reply = answer(
        200,
        b"{}",
        ("Content-Type", "application/json; charset=utf-8"),
        ("ETag", '"1"'),
        ("content-disposition", 'attachment; filename="a.json"'),
        ("x-ext-page", "1"),
        ("x-ext-page", "2"),
    )
    got = bench.call()
    assert got.header("content-type") == "application/json; charset=utf-8"
    assert got.header("etag") == '"1"'
    assert got.header("content-disposition") == 'attachment; filename="a.json"'
    assert got.all("x-ext-page") == ["1", "2"]


@pytest.mark.parametrize(
    "name",
    [
        "set-cookie",
        "set-cookie2",
        "location",
        "access-control-allow-origin",
        "content-length",
        "transfer-encoding",
        "connection",
        "strict-transport-security",
        "clear-site-data",
        "server",
        "refresh",
        "link",
        "www-authenticate",
        "x-request-id",
        "content-encoding",
    ],
)
def test_a_guests_other_headers_do_not_leave(bench, name):
    bench.runner.reply = answer(200, b"ok", (name, "evil"), (name.title(), "evil"))
    assert "evil" not in bench.call().all(name)


def test_a_guest_cannot_speak_for_the_platform(bench):
    bench.runner.reply = answer(200, b"ok", ("x-ext-execution-id", "forged"), ("X-Ext-Execution-Id", "forged"))
    got = bench.call()
    assert got.header("x-ext-execution-id") == bench.last.context.execution_id


@pytest.mark.parametrize(
    "header",
    [
        ("x-ext-a", "b\r\nset-cookie: c=d"),
        ("x-ext-a", "b\0"),
        ("x-ext-a\r\nset-cookie", "c"),
        ("x ext", "a"),
        ("", "a"),
        ("x-ext-a", "\u4e2d"),
        ("content-type", "text"),
        ("content-type", "text/html\nx"),
        ("set-cookie", "a\r\nb"),
    ],
)
def test_a_broken_header_of_a_guest_is_a_bad_response(bench, header):
    bench.runner.reply = answer(200, b"ok", header)
    got = bench.call()
    assert (got.status, got.code) == (502, "bad_response")
    assert not got.all("set-cookie")


@pytest.mark.parametrize("status", [0, 99, 100, 101, 199, 600, 65535])
def test_a_status_that_is_none_is_a_bad_response(bench, status):
    bench.runner.reply = answer(status, b"")
    assert bench.call().code == "bad_response"


@pytest.mark.parametrize("status", [200, 201, 302, 400, 404, 418, 500, 503, 599])
def test_a_guests_own_status_passes_as_it_is(bench, status):
    bench.runner.reply = answer(status, b"mine", ("content-type", "text/plain"))
    got = bench.call()
    assert (got.status, got.body, got.header("content-type")) == (status, b"mine", "text/plain")


@pytest.mark.parametrize(
    ("given", "got"),
    [
        (None, "no-store"),
        ("max-age=60", "private, max-age=60"),
        ("public, max-age=31536000, immutable", "private, max-age=31536000, immutable"),
        ("s-maxage=60", "no-store"),
        ("no-cache", "private, no-cache"),
        ("max-age=60, no-store", "no-store"),
        ("PRIVATE, Max-Age=5", "private, max-age=5"),
        ("max-age=-1, x=y", "no-store"),
    ],
)
def test_no_shared_cache_keeps_a_users_answer(bench, given, got):
    bench.runner.reply = answer(200, b"ok", *([("cache-control", given)] if given else []))
    assert bench.call().header("cache-control") == got


@pytest.mark.parametrize("status", [400, 404, 500])
def test_immutable_does_not_leak_onto_a_guests_errors(bench, status):
    bench.runner.reply = answer(status, b"", ("cache-control", "max-age=31536000, immutable"))
    assert bench.call().header("cache-control") == "no-store"


def test_a_guests_page_is_no_document_of_this_origin(bench):
    bench.runner.reply = answer(200, b"<script>", ("content-type", "text/html"))
    got = bench.call()
    assert got.header("x-content-type-options") == "nosniff"
    assert "sandbox" in got.header("content-security-policy")


def test_an_answer_over_the_limit_is_refused(make_bench):
    bench = make_bench(max_body_bytes=10)
    bench.runner.reply = answer(200, b"x" * 11)
    assert (bench.call().status, bench.call().code) == (502, "output_too_large")


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_a_body_has_none(bench, status):
    bench.runner.reply = answer(status, b"surplus")
    assert bench.call().body == b""


def test_head_is_get_without_the_bytes(bench):
    bench.runner.reply = answer(200, b"four", ("content-type", "text/plain"))
    got = bench.call("HEAD")
    assert (got.status, got.body, got.header("content-length")) == (200, b"", "4")
    assert got.header("content-type") == "text/plain"
    assert bench.last.http.method == "GET"


def test_the_answer_says_where_the_time_went(bench):
    assert bench.call().header("server-timing").startswith("queue;dur=0.00, extension;dur=1.50, total;dur=")


# failures


@pytest.mark.parametrize(
    "code",
    [
        "guest_trap",
        "stack_overflow",
        "memory_limit",
        "fuel_exhausted",
        "host_budget_exceeded",
        "output_too_large",
        "bad_response",
        "worker_lost",
        "artifact_unavailable",
        "deadline_exceeded",
        "overloaded",
    ],
)
def test_each_way_to_fail_has_its_own_code(bench, code):
    bench.runner.reply = answer(0, b"", error=ExecuteError(code=code, message="because"))
    got = bench.call()
    assert (got.status, got.code, got.detail) == (CATALOGUE[code].status, code, "because")
    assert got.header("x-ext-execution-id") == bench.last.context.execution_id
    assert got.header("cache-control") == "no-store"


@pytest.mark.parametrize("code", ["untrusted_caller", "unauthenticated", "malformed_request", "internal", "new_code"])
def test_the_runners_quarrels_with_the_gateway_stay_inside(bench, code):
    bench.runner.reply = answer(0, b"", error=ExecuteError(code=code, message="service token refused"))
    got = bench.call()
    assert (got.status, got.code) == (503, "unavailable")
    assert b"service token" not in got.body


def test_an_unexpected_error_says_nothing_of_the_inside(bench, caplog):
    bench.runner.reply = RuntimeError("password=hunter2 at /srv/app.py")
    with caplog.at_level(logging.CRITICAL):
        got = bench.call()
    assert (got.status, got.code) == (500, "internal")
    assert b"hunter2" not in got.body
    assert b"srv" not in got.body


def test_a_problem_carries_the_request_id(bench):
    assert b'"request_id": "req_1"' in bench.call(path="/none").body


# CORS


def preflight(bench, origin, asked="authorization, content-type", method="POST"):
    headers = [("origin", origin), ("access-control-request-method", method)]
    return bench.call("OPTIONS", token="", headers=[*headers, ("access-control-request-headers", asked)])


def test_a_configured_origin_may_call(bench):
    got = preflight(bench, ORIGIN, "authorization, x-ext-tag, cookie, x-custom")
    assert (got.status, got.all("access-control-allow-origin")) == (204, [ORIGIN])
    assert got.header("access-control-allow-headers") == "authorization, x-ext-tag"
    assert bench.call(headers=[("origin", ORIGIN)]).header("access-control-allow-origin") == ORIGIN


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "https://app.example.evil.example",
        "https://app.example:444",
        "http://app.example",
        "https://APP.example",
        "*",
        "",
    ],
)
def test_an_unknown_origin_is_never_reflected(bench, origin):
    got = preflight(bench, origin)
    assert (got.status, got.code, got.header("access-control-allow-origin")) == (403, "origin_not_allowed", None)
    got = bench.call(headers=[("origin", origin)])
    assert got.header("access-control-allow-origin") is None
    assert got.header("vary") == "origin"


def test_credentials_are_never_allowed(bench):
    for got in (preflight(bench, ORIGIN), bench.call(headers=[("origin", ORIGIN)])):
        assert got.header("access-control-allow-credentials") is None


def test_a_page_of_a_configured_origin_can_read_errors(bench):
    got = bench.call(path="/none", headers=[("origin", ORIGIN)])
    assert (got.status, got.header("access-control-allow-origin")) == (404, ORIGIN)


def test_options_that_is_no_preflight_is_an_ordinary_request(bench):
    assert bench.call("OPTIONS").code == "method_not_allowed"


# the journal


def test_each_execution_is_logged_once_with_its_receipt(bench):
    bench.call(path="/notes/7", query="secret=1")
    (entry,) = bench.logged()
    assert (entry.tenant_id, entry.extension_id, entry.method, entry.path) == ("acme", EXTENSION, "GET", "/notes/7")
    assert (entry.status, entry.error_code, entry.receipt["duration_ms"]) == (200, None, 1.5)
    assert entry.execution_id == bench.last.context.execution_id


def test_a_failed_execution_is_logged_with_its_code_and_receipt(bench):
    bench.runner.reply = answer(0, b"", error=ExecuteError(code="guest_trap", message="unreachable"))
    bench.call()
    bench.runner.reply = OrielError("worker_lost")
    bench.call()
    trap, lost = bench.logged()
    assert (trap.status, trap.error_code, trap.receipt["duration_ms"]) == (502, "guest_trap", 1.5)
    assert (lost.status, lost.error_code, lost.receipt["duration_ms"]) == (502, "worker_lost", 0.0)


def test_what_the_extension_measured_is_logged_with_its_receipt(bench):
    metric = Metric(name="orders_total", kind="counter", labels={"state": "open"}, value=3, count=2)
    bench.runner.reply = answer(200, b"", metrics=(metric,))
    bench.call()
    (entry,) = bench.logged()
    assert entry.receipt["metrics"] == [metric.to_plain()]


def test_what_was_not_run_is_not_logged_as_an_execution(bench):
    bench.call(token="")
    bench.call(path="/none")
    assert bench.logged() == []
