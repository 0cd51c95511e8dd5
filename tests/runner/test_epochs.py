import threading
import time

import pytest

from oriel.engine.config import new_engine
from runner.epochs import TICK_SECONDS, Ticker


@pytest.fixture
def ticker():
    ticker = Ticker()
    ticker.add(new_engine())
    ticker.start()
    yield ticker
    ticker.stop()


@pytest.mark.parametrize("seconds", [-5.0, 0.0, TICK_SECONDS / 2])
def test_a_deadline_is_never_no_ticks(ticker, seconds):
    assert ticker.ticks_until(time.monotonic() + seconds) >= 1


def test_the_ticks_cover_the_deadline(ticker):
    assert ticker.ticks_until(time.monotonic() + 1.0) >= 1.0 / TICK_SECONDS


def test_starting_twice_makes_one_thread(ticker):
    def threads():
        return [thread.ident for thread in threading.enumerate() if thread.name == "epoch-ticker"]

    before = threads()
    ticker.start()
    assert threads() == before


def test_a_stopped_ticker_can_start_again(ticker):
    ticker.stop()
    ticker.start()
    assert ticker._thread.is_alive()


def test_a_ticker_that_never_started_can_be_stopped():
    Ticker().stop()
