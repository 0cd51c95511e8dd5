"""The guest libraries of both languages, inside real components, on a real runner: the same probe, the same answers."""

import json
from datetime import UTC, datetime

import pytest

from oriel.capabilities import CAPABILITIES
from oriel.contract import ExecuteRequest
from tests.build.conftest import PROBES
from tests.support.examples import ADMIN, MEMBER, built


def seconds(moment):
    return datetime.fromisoformat(moment).timestamp()


def test_the_clock_is_the_hosts_and_not_the_builds(probe):
    clock = probe().json("GET", "/clock")
    now = datetime.now(UTC).timestamp()
    assert abs(clock["time"] - now) < 60
    assert abs(seconds(clock["now"]) - now) < 60
    assert abs(seconds(clock["context"]) - now) < 60
    assert clock["built"] < clock["time"]
    assert clock["parsed"].startswith("2026-11-24T00:00:00")


def test_two_requests_get_different_random_numbers(probe):
    app = probe()
    one, other = app.json("GET", "/random"), app.json("GET", "/random")
    assert all(a != b for a, b in zip(one, other, strict=True))
    assert (one[1][14], len(one[4])) == ("4", 26)
    assert one[4] < other[4]


def test_the_languages_own_output_ends_in_the_log(probe):
    answer = probe().call("GET", "/log")
    lines = [(line.level, line.message.split(" ")[0]) for line in answer.logs]
    assert answer.status == 204
    assert lines == [("info", "printed"), ("warn", "logged"), ("info", "emitted")]
    assert answer.logs[-1].fields == {"number": "7"}


def test_an_exception_is_a_500_of_the_guests_own_with_its_traceback_in_the_log(probe):
    answer = probe().call("GET", "/fault/exception")
    assert answer.error is None
    assert (answer.status, json.loads(answer.body())["code"]) == (500, "extension_error")
    (line,) = answer.logs
    assert line.level == "error"
    assert "main.py" in line.message or "TypeError" in line.message
    assert "main.py" not in answer.body().decode()


@pytest.mark.parametrize("kind", ["import", "file", "sleep", "fetch"])
def test_what_a_component_lacks_is_an_answer_and_no_crash(probe, kind):
    answer = probe().call("GET", f"/fault/{kind}")
    assert answer.error is None
    assert answer.status in {418, 500}


def test_a_problem_is_answered_as_it_was_raised(probe):
    answer = probe().call("GET", "/fault/teapot")
    body = json.loads(answer.body())
    assert (answer.status, body["code"], body["detail"], body["pot"]) == (418, "teapot", "I am a teapot.", "small")
    assert answer.logs == ()


def test_the_context_has_ids_settings_user_query_and_headers(probe):
    app = probe(config={"number": 1.5})
    told = app.json("GET", "/context", query="a=1&a=%C3%BC&b=", user=MEMBER)
    install_id = told["info"].get("install_id") or told["info"]["installId"]
    assert install_id == app.install_id
    assert told["info"]["trigger"] == "http"
    assert told["settings"]["number"] == "1.5"
    assert told["typed"] == ["12", 1.5, ["a"]]
    assert told["flag"] is True
    assert told["user"] == "Nils Berg"
    assert told["args"] == [["a", "1"], ["a", "ü"], ["b", ""]]
    assert told["header"] is None


def test_a_setting_of_another_type_than_its_default_is_the_default(probe):
    assert probe().json("GET", "/context")["other"] == [5, "12", ["no"]]


def test_without_a_user_there_is_none(probe):
    assert probe().json("GET", "/context", user=None)["user"] is None


@pytest.mark.parametrize(
    "data",
    [b"", b"plain", "grüß 🪟".encode(), bytes(range(256)) * 40, b"\xef\xbb\xbfmarked", b"\x00", b"\xff" * 1_100_000],
)
def test_bodies_come_back_as_they_were_sent(probe, data):
    app = probe()
    request = app._request("POST", "/echo", data, ADMIN, "")
    for content_type in ("application/octet-stream", "text/plain; charset=utf-8"):
        request["http"]["headers"] = [("content-type", content_type)]
        answer = app.runner.execute(ExecuteRequest.convert(request))
        assert answer.error is None
        assert answer.body() == data
        assert dict(answer.headers)["x-ext-size"] == str(len(data))


def test_storage_keeps_every_kind_of_value_and_its_conditions(probe):
    found = probe().json("POST", "/storage")
    assert (found["revision"], found["conflict"], found["text"], found["bytes"]) == (1, "conflict", "grüß", [255, 0])
    assert found["page"] == ["b/000", "b/001", "b/002"]
    assert (found["scan"], found["count"], found["deleted"], found["gone"]) == (20, 2, [True, False], True)
    assert 0 < seconds(found["expires"]) - datetime.now(UTC).timestamp() <= 60


def test_refusals_of_the_host_are_typed(probe):
    *kinds, none, reference = probe().json("GET", "/refused")
    assert (none, reference) == ("None", "{{secret:TOKEN}}")
    assert kinds == ["Denied", "Denied", "Invalid", "Invalid"]  # this runner sends nothing for anybody


@pytest.mark.parametrize(
    ("withheld", "method", "path"),
    [("storage.kv", "POST", "/storage"), ("user.read", "GET", "/context"), ("secrets.get", "GET", "/refused")],
)
def test_a_capability_that_was_not_granted_is_a_403(probe, withheld, method, path):
    answer = probe(withheld=[withheld]).call(method, path)
    assert (answer.status, json.loads(answer.body())["code"]) == (403, "denied")
    assert answer.logs[-1].fields["kind"] == "denied"


def test_path_parameters_are_decoded_once(probe):
    app = probe()
    assert app.json("GET", "/items/a%20b%252F")["id"] == "a b%2F"
    assert app.call("GET", "/items/").status == 404
    assert app.call("GET", "/items/a/b").status == 404


def test_another_method_is_a_405_and_head_has_no_body(probe):
    app = probe()
    assert app.call("DELETE", "/items/1").status == 405
    head = app.call("HEAD", "/items/1")
    assert (head.status, head.body()) == (200, b"")


def test_vendored_packages_are_part_of_a_python_component(host):
    assert host.publish(PROBES / "python")().call("GET", "/vendored").body() == b"hello"


@pytest.mark.parametrize("name", ["python", "javascript"])
def test_a_component_imports_what_it_asks_for_and_nothing_else(name):
    made = built(PROBES / name)
    wanted = {CAPABILITIES[item].interface for item in ("context.read", "log.emit", *made.manifest.asked)} | {"types"}
    assert {item.split("/")[1].split("@")[0] for item in made.imports()} == wanted
    assert all(item.startswith("oriel:extension/") for item in made.imports())


def test_what_an_extension_measures_is_summed_up_by_series(probe):
    answer = probe().call("GET", "/metrics")
    assert (answer.status, answer.body().strip(b'"')) == (200, b"Invalid")
    found = {metric.name: (metric.kind, metric.value, metric.count, metric.labels) for metric in answer.metrics}
    assert found == {
        "asked_total": ("counter", 3.0, 2, {"kind": "a"}),
        "depth": ("gauge", 7.0, 1, {}),
        "took_seconds": ("histogram", 0.02, 1, {}),
    }
    assert answer.receipt.metric_samples == 5


def test_measuring_without_the_grant_changes_nothing_for_the_request(probe):
    answer = probe(withheld=["metrics.emit"]).call("GET", "/metrics")
    assert answer.status in {200, 204}
    assert (answer.metrics, answer.receipt.denied_calls) == ((), 5)


@pytest.mark.parametrize(("operation", "status"), [("orders.list", 503), ("orders.delete", 403)])
def test_an_operation_that_is_not_there_is_unavailable_and_one_that_is_not_granted_denied(probe, operation, status):
    assert probe().call("GET", f"/host/{operation}").status == status  # this runner has no product
