"""The watch over the workers' ends. Deaths are told, and the quarantine is recorded here."""

import signal
import threading

import pytest

from oriel.local import warden
from oriel.local.warden import Warden
from oriel.store import StoreUnavailable
from runner.board import Inside
from runner.supervisor import Death

DEATH = Death(1, -signal.SIGABRT, 1.0, True, (Inside("exe_1", "t1", "ins_1", "com.killer", "sha256:killer"),))


class Quarantines:
    """Takes a quarantine when `open` is set; until then it is away."""

    def __init__(self):
        self.open, self.asked, self.taken = threading.Event(), threading.Event(), []
        self.done = threading.Event()

    def add(self, content_hash, extension_id, **fields):
        self.asked.set()
        if not self.open.is_set():
            raise StoreUnavailable
        self.taken.append((content_hash, extension_id, fields))
        self.done.set()
        return True


@pytest.fixture
def quarantines():
    return Quarantines()


@pytest.fixture
def watching(quarantines, monkeypatch):
    monkeypatch.setattr(warden, "RETRY_SECONDS", 0.01)
    watching = Warden(quarantines)
    yield watching
    watching.close()


def test_repeated_deaths_lead_to_a_quarantine_with_its_reason(watching, quarantines):
    quarantines.open.set()
    for _ in range(3):
        watching.told(DEATH)
    assert quarantines.done.wait(5)
    ((content_hash, extension_id, fields),) = quarantines.taken
    assert (content_hash, extension_id, fields["deaths"]) == ("sha256:killer", "com.killer", 3)
    assert "alone in 3" in fields["reason"]


def test_a_quarantine_that_the_store_does_not_take_is_tried_again(watching, quarantines):
    for _ in range(3):
        watching.told(DEATH)
    assert quarantines.asked.wait(5)
    quarantines.open.set()
    assert quarantines.done.wait(5)


def test_closing_does_not_wait_for_a_store_that_is_away(watching, quarantines):
    for _ in range(3):
        watching.told(DEATH)
    assert quarantines.asked.wait(5)
    watching.close()
    assert not watching._thread.is_alive()
