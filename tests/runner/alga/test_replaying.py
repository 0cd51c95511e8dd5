"""Executions of an `alga:extension` component, kept whole and run again offline: the same comes out."""

import pytest
from msgspec.structs import replace

from runner.replaying import Replayer
from tests.guests.alga import component
from tests.runner.alga.test_drop_in import CLIENT, LIST, SCHEDULE, USER, entry
from tests.runner.recorded import opened

SECRET = "s3cr3t-of-northwind"


@pytest.fixture(scope="module")
def replayer(tmp_path_factory):
    artifact = tmp_path_factory.mktemp("replay") / "alga.cwasm"
    artifact.write_bytes(component()[1])
    made = Replayer(artifact)
    yield made
    made.close()


def recorded(app, sealer, *call):
    """The fixture of a call, and what the component answered."""
    answer = app.call(*call, record="always")
    return opened(sealer, app.last, app.asked.context), answer


CALLS = [
    ("storage", "put", entry("a", b"\x00\xff")),
    ("storage", "get", "notes", "a"),
    ("storage", "get", "notes", "nothing"),
    ("secrets", "get", "token"),
    ("user", "getUser"),
    ("scheduler", "createSchedule", SCHEDULE),
    ("clients", "listClients", LIST),
    ("logging", "logWarn", "careful: ä"),
]


@pytest.mark.parametrize("call", CALLS, ids=lambda call: ".".join(call[:2]))
def test_a_call_of_the_host_is_answered_from_the_fixture(make_app, stage, product, replayer, call):
    product.answers["clients.list"] = {"items": [CLIENT], "total_count": 1, "page": 1, "page_size": 20}
    app = make_app(user=USER, secrets=({"name": "token", "value": SECRET.encode()},))
    fixture, _ = recorded(app, stage[2], *call)
    asked = len(product.asked)
    assert SECRET.encode() not in fixture.to_json()
    again = replayer.run(fixture)
    assert again.difference is None, again.difference
    assert again.outcome == fixture.outcome
    assert len(product.asked) == asked


def test_another_answer_of_the_host_is_found_as_the_difference(app, stage, replayer):
    app.call("storage", "put", entry("a"))
    fixture, _ = recorded(app, stage[2], "storage", "get", "notes", "a")
    calls = [replace(call, arguments=[*call.arguments, "more"]) for call in fixture.calls if "storage" in call.name]
    assert len(calls) == 1
    changed = tuple(call if "storage" not in call.name else calls[0] for call in fixture.calls)
    assert replayer.run(replace(fixture, calls=changed)).difference.what == "the arguments of a host call"
