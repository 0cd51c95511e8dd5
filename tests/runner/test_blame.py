"""Who is stopped after workers died. Deaths are told, none is made."""

import signal

import pytest

from runner.blame import STRIKES, WINDOW_SECONDS, Blame
from runner.board import Inside
from runner.supervisor import Death


def death(*names, returncode=-signal.SIGABRT):
    inside = tuple(Inside(f"exe_{at}", "t1", "ins_1", f"com.{name}", f"sha256:{name}") for at, name in enumerate(names))
    return Death(1, returncode, 5.0, True, inside)


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def blame(clock):
    return Blame(clock=clock)


def stopped(blame, *names, **fields):
    return [verdict.extension_id for verdict in blame.judge(death(*names, **fields))]


def until_stopped(blame, *names, most=100):
    """How many deaths with these inside it takes, and who is stopped then."""
    for count in range(1, most):
        if found := stopped(blame, *names):
            return count, found
    raise AssertionError("nobody was stopped")


def test_a_bundle_that_is_alone_is_stopped_at_its_third_death(blame):
    assert [stopped(blame, "killer") for _ in range(STRIKES)] == [[], [], ["com.killer"]]


def test_a_verdict_tells_how_certain_it_is(blame):
    for names in (("killer",), ("killer", "other"), ("killer",)):
        assert not blame.judge(death(*names))
    (verdict,) = blame.judge(death("killer", "another"))
    assert (verdict.content_hash, verdict.deaths, verdict.alone) == ("sha256:killer", 4, 2)


def test_many_executions_of_one_bundle_in_one_worker_are_one_strike(blame):
    assert not stopped(blame, "killer", "killer", "killer", "killer")


def test_deaths_are_forgotten_after_the_window(blame, clock):
    assert [stopped(blame, "killer"), stopped(blame, "killer")] == [[], []]
    clock.now = WINDOW_SECONDS
    assert until_stopped(blame, "killer") == (STRIKES, ["com.killer"])


def test_one_that_others_happen_to_run_beside_is_not_stopped(blame):
    seen = [name for at in range(6) for name in stopped(blame, "killer", f"guest-{at}")]
    assert seen == ["com.killer"]


def test_what_shared_the_worker_is_cleared_once_the_killer_is_stopped(blame):
    for names in (("killer", "popular"), ("killer", "popular"), ("killer",)):
        assert not stopped(blame, *names)
    assert stopped(blame, "killer") == ["com.killer"]
    assert until_stopped(blame, "popular") == (STRIKES, ["com.popular"])


def test_a_tie_stops_nobody_before_twice_the_strikes(blame):
    assert until_stopped(blame, "one", "other") == (4 * STRIKES, ["com.one", "com.other"])


def test_a_worker_that_was_told_to_stop_is_nobodys_strike(blame):
    for returncode in (0, -signal.SIGTERM, -signal.SIGINT) * STRIKES:
        assert not stopped(blame, "innocent", returncode=returncode)
    assert until_stopped(blame, "innocent") == (STRIKES, ["com.innocent"])


@pytest.mark.parametrize("returncode", [1, 134, -signal.SIGABRT, -signal.SIGSEGV, -signal.SIGKILL])
def test_every_other_end_is_a_strike(blame, returncode):
    assert [stopped(blame, "killer", returncode=returncode) for _ in range(STRIKES)][-1] == ["com.killer"]


def test_an_end_with_nothing_inside_is_nobodys_strike(blame):
    assert not any(stopped(blame) for _ in range(10))


def test_a_bundle_whose_quarantine_was_lifted_starts_anew(blame):
    until_stopped(blame, "killer")
    assert until_stopped(blame, "killer") == (STRIKES, ["com.killer"])
