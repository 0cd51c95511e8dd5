import threading

from oriel.aws.ahead import Ahead
from oriel.aws.keys import SecretKey
from oriel.errors import OrielError
from tests.support.aws import CREDENTIALS, target


def test_all_is_asked_for_at_once_and_nobody_waits():
    together = threading.Barrier(3, timeout=30)
    Ahead(together.wait, together.wait).begin()
    together.wait()


def test_it_is_asked_for_once():
    asked, done = [], threading.Event()

    def fetch():
        asked.append(1)
        done.set()

    ahead = Ahead(fetch)
    ahead.begin()
    ahead.begin()
    assert done.wait(30)
    assert asked == [1]


def test_what_fails_is_left_to_who_needs_it():
    seen, done = [], threading.Event()

    def fetch():
        seen.append(threading.current_thread())
        done.set()
        raise OrielError("unavailable", "The key service does not answer.")

    Ahead(fetch).begin()
    assert done.wait(30)
    seen[0].join(30)  # a failure of the thread's own would be an error of the test
    assert not seen[0].is_alive()


def test_who_needs_a_key_that_is_being_asked_for_waits_for_that_answer(monkeypatch):
    key, asked, answering = SecretKey(target("secret"), "service", CREDENTIALS), [], threading.Event()

    def stage(name):
        asked.append(name)
        assert answering.wait(30)
        return {"SecretString": "x" * 32}

    monkeypatch.setattr(key, "_stage", stage)
    found = []
    threads = [threading.Thread(target=lambda: found.append(key.private)) for _ in range(4)]
    for thread in threads:
        thread.start()
    answering.set()
    for thread in threads:
        thread.join(30)
    assert len(found) == 4
    assert asked == ["AWSCURRENT"]
