"""Executions kept whole and run again: the same comes out, the first difference is found, no secret is in it."""

import base64
import os
from dataclasses import dataclass, field

import pytest
from msgspec.structs import replace

from oriel.contract import SealedSecret
from oriel.fixture import Fixture, pack, unpack
from oriel.sealing import DataKey, Sealer
from runner.core import Runner
from runner.execution import Services
from runner.redaction import Redactor
from runner.replaying import Replayer
from runner.tape import Recorder
from tests.guests import hostile, standard
from tests.guests.build import compiled, guest
from tests.runner.recorded import opened

SECRET = "s3cr3t/väl+7"
MOMENT = guest(
    """(i64.store (i32.const 2048) (call $context.now-ms))
       (i64.store (i32.const 2056) (call $context.random-u64))
       (call $respond (i32.const 200) (i32.const 0) (i32.const 0) (i32.const 2) (i32.const 2048) (i32.const 16))""",
    imports=("context.now-ms", "context.random-u64"),
)
"""Answers with the time and a random number."""

RANDOM_FIRST = guest(
    """(i64.store (i32.const 2056) (call $context.random-u64))
       (i64.store (i32.const 2048) (call $context.now-ms))
       (call $respond (i32.const 200) (i32.const 0) (i32.const 0) (i32.const 2) (i32.const 2048) (i32.const 16))""",
    imports=("context.now-ms", "context.random-u64"),
)
ONLY_THE_TIME = guest(
    """(i64.store (i32.const 2048) (call $context.now-ms))
       (call $respond (i32.const 200) (i32.const 0) (i32.const 0) (i32.const 2) (i32.const 2048) (i32.const 8))""",
    imports=("context.now-ms",),
)
SHOWS_A_SECRET = guest(
    """(call $secrets.get (i32.const 1024) (i32.const 5) (i32.const 2048))
       (call $log.emit (i32.const 1)
             (i32.load (i32.const 2056)) (i32.load (i32.const 2060)) (i32.const 0) (i32.const 0))
       (call $respond (i32.const 200) (i32.const 0) (i32.const 0) (i32.const 1)
             (i32.load (i32.const 2056)) (i32.load (i32.const 2060)))""",
    imports=("secrets.get", "log.emit"),
    data="token",
)
"""Reads the secret `token`, logs it and answers with it."""


@dataclass
class Keys:
    """One data key."""

    key: DataKey = field(default_factory=lambda: DataKey("key_1", _cipher()))

    def current(self):
        return self.key

    def by_id(self, key_id):
        return self.key if key_id == self.key.key_id else None


def _cipher():
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(os.urandom(32))


SEALER = Sealer(Keys())


@pytest.fixture
def record(platform, make_request):
    """Execute a guest with a tape; the response, and the fixture where there is one."""

    def run(wasm, mode="always", secret=None, **changes):
        plain = platform.runner()
        services = Services(store=plain._services.store, opener=SEALER, sealer=SEALER)
        runner = Runner(plain._sandbox, plain._components, services, share=plain._pool._share)
        request = make_request(context={"content_hash": platform.publish(wasm)}, **changes)
        secrets = (_sealed("token", secret, request.context),) if secret else ()
        response = runner.execute(replace(request, record=mode, secrets=secrets))
        return response, opened(SEALER, response, request.context)

    return run


def _sealed(name, value, context):
    sealed = SEALER.seal(context.tenant_id, context.install_id, name, value.encode())
    nonce, ciphertext = (base64.b64encode(part).decode() for part in (sealed.nonce, sealed.ciphertext))
    return SealedSecret(name, sealed.key_id, nonce, ciphertext)


@pytest.fixture
def replay(tmp_path):
    """Run a fixture against a component."""
    replayers = []

    def run(fixture, wasm):
        artifact = tmp_path / "component.cwasm"
        artifact.write_bytes(compiled(wasm).cwasm)
        replayers.append(Replayer(artifact))
        return replayers[-1].run(fixture)

    yield run
    for replayer in replayers:
        replayer.close()


VALUES = [None, True, 7, 1.5, float("inf"), "é", b"\x00\xff", ("ok", None), [("a", b"b")], {"body": ("bytes", b"\xfe")}]


@pytest.mark.parametrize("value", VALUES, ids=str)
def test_a_host_calls_values_pass_through_a_fixture_unchanged(value):
    assert unpack(pack(value)) == value
    assert type(unpack(pack(value))) is type(value)


def test_a_resource_is_no_value():
    with pytest.raises(TypeError, match="cannot be kept"):
        pack(object())


def test_the_clock_and_random_numbers_are_those_that_were(record, replay):
    response, fixture = record(MOMENT)
    assert [call.name for call in fixture.calls] == [
        "oriel:extension/context.now-ms",
        "oriel:extension/context.random-u64",
    ]
    again = replay(Fixture.parse(fixture.to_file()), MOMENT)
    assert again.difference is None
    assert base64.b64decode(again.outcome.body_b64) == response.body()
    assert again.receipt.cpu_ms > 0


def test_the_clock_and_random_numbers_of_standard_components_too(record, replay):
    wasm = standard.answering(
        "(drop (call $monotonic-clock.now)) (drop (call $random.get-random-u64))",
        imports=("clocks/monotonic-clock#now", "random/random#get-random-u64"),
    )
    response, fixture = record(wasm)
    assert response.error is None
    names = [call.name for call in fixture.calls]
    assert names == ["wasi:clocks/monotonic-clock.now", "wasi:random/random.get-random-u64"]
    assert replay(fixture, wasm).difference is None


@pytest.mark.parametrize(
    ("newer", "at", "what"),
    [
        (RANDOM_FIRST, 0, "another host call"),
        (ONLY_THE_TIME, 1, "a host call that is missing"),
        (hostile.HELLO, 0, "a host call that is missing"),
    ],
    ids=["order", "one less", "none"],
)
def test_the_first_host_call_that_differs_is_found(record, replay, newer, at, what):
    _, fixture = record(MOMENT)
    difference = replay(fixture, newer).difference
    assert (difference.at, difference.what) == (at, what)


def test_a_host_call_too_many_is_found(record, replay):
    _, fixture = record(ONLY_THE_TIME)
    difference = replay(fixture, MOMENT).difference
    assert (difference.at, difference.what) == (1, "a host call that was not made")
    assert difference.replayed.name == "oriel:extension/context.random-u64"


def test_another_answer_is_found(record, replay):
    _, fixture = record(hostile.HELLO)
    changed = replace(fixture, outcome=replace(fixture.outcome, body_b64=base64.b64encode(b"hullo").decode()))
    difference = replay(changed, hostile.HELLO).difference
    assert (difference.what, difference.recorded, difference.replayed) == ("the body", b"hullo", b"hello")


def test_a_failure_is_kept_and_fails_again(record, replay):
    response, fixture = record(hostile.TRAP, mode="failure")
    assert response.error.code == "guest_trap"
    assert replay(fixture, hostile.TRAP).difference is None
    mended = replay(fixture, hostile.HELLO).difference
    assert (mended.what, mended.replayed) == ("the error", None)


def test_of_what_succeeds_nothing_is_kept_where_only_failures_are_asked_for(record):
    response, fixture = record(hostile.HELLO, mode="failure")
    assert (response.recording, fixture) == (None, None)


def test_no_secret_is_in_a_fixture_and_it_runs_again_without(record, replay):
    response, fixture = record(SHOWS_A_SECRET, secret=SECRET, providers={"secrets.get"})
    assert response.body() == SECRET.encode()
    data = fixture.to_file()
    for form in (SECRET, base64.b64encode(SECRET.encode()).decode(), SECRET.encode().hex()):
        assert form.encode() not in data
    assert base64.b64decode(fixture.outcome.body_b64) == b"[secret]"
    again = replay(fixture, SHOWS_A_SECRET)
    assert again.difference is None


def test_what_cannot_be_told_from_other_text_is_not_kept(record):
    response, fixture = record(hostile.HELLO, secret="abc", providers={"secrets.get"})
    assert (response.body(), fixture, response.recording.refused) == (b"hello", None, "secret_too_short")


def test_past_its_bound_a_recording_is_given_up_and_the_calls_go_on():
    tape = Recorder(max_bytes=500)
    answers = [tape.call("x", (b"a" * 300,), lambda: 7) for _ in range(3)]
    assert (answers, tape.is_complete) == ([7, 7, 7], False)


@pytest.mark.parametrize("before", ["", "a", "ab", "user:"])
def test_a_secret_is_found_in_every_form_it_travels_in(before):
    clean = Redactor([SECRET]).clean
    from urllib.parse import quote, quote_plus

    text = f"{before}{SECRET}"
    encoded = base64.b64encode(text.encode()).decode()
    shown = clean(
        [text, text.encode(), quote(text), quote_plus(text), text.encode().hex().upper(), encoded, {text: (text,)}]
    )
    flat = repr(shown)
    assert SECRET not in flat
    assert quote(SECRET) not in flat
    assert SECRET.encode().hex() not in flat.lower()
    assert "[secret]" in shown[5]
    assert clean("nothing of it") == "nothing of it"
    assert Redactor([]).clean(text) == text


def test_a_fixture_that_is_none_is_refused_with_the_place():
    from oriel.errors import OrielError

    for data, told in ((b"{", "JSON"), (b'{"recorded_at": "x"}', "recorded_at")):
        with pytest.raises(OrielError) as refused:
            Fixture.parse(data)
        assert told in refused.value.diagnostics()
