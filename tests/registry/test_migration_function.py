"""The function that migrates: what CloudFormation is told, and how long a database may take to come."""

import json
from http.server import BaseHTTPRequestHandler
from types import SimpleNamespace

import pytest

from oriel.errors import OrielError
from oriel.store.errors import StoreUnavailable, UnknownTables
from registry.on_migration import MARGIN_MS, Function
from tests.support.lambdas import listening


class Steps:
    """Gives, or raises, one after the other; the last again and again."""

    def __init__(self, *steps):
        self.steps, self.count = steps, 0

    def __call__(self):
        step = self.steps[min(self.count, len(self.steps) - 1)]
        self.count += 1
        if isinstance(step, Exception):
            raise step
        return step


class Context:
    def __init__(self, left_ms=900_000):
        self.left_ms = left_ms

    def get_remaining_time_in_millis(self):
        self.left_ms -= 10_000
        return self.left_ms


@pytest.fixture
def cloudformation():
    told = []

    class Address(BaseHTTPRequestHandler):
        def do_PUT(self):
            told.append((self.path, json.loads(self.rfile.read(int(self.headers["content-length"])))))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_arguments):
            pass

    with listening(Address) as url:
        yield SimpleNamespace(url=f"{url}/answers/1?signature=x%2Fy", told=told)


def run(migrate, cloudformation, kind="Create"):
    event = {
        "RequestType": kind,
        "ResponseURL": cloudformation.url,
        "StackId": "s",
        "RequestId": "r",
        "LogicalResourceId": "TablesMigrated",
        "ResourceProperties": {"Address": "proxy.example", "Revision": "0001"},
    }
    Function(migrate, sleep=lambda _: None)(event, Context())
    ((path, said),) = cloudformation.told
    assert path == "/answers/1?signature=x%2Fy"
    assert (said["StackId"], said["RequestId"], said["LogicalResourceId"]) == ("s", "r", "TablesMigrated")
    return said


def test_a_database_that_does_not_answer_yet_is_asked_again(cloudformation):
    migrate = Steps(StoreUnavailable(), StoreUnavailable(), (None, "0001"))
    said = run(migrate, cloudformation)
    assert (said["Status"], migrate.count) == ("SUCCESS", 3)
    assert said["Data"] == {"before": "", "after": "0001", "Address": "proxy.example"}


def test_one_that_never_answers_fails_the_deployment_with_the_reason_while_there_is_time_to_say_so(cloudformation):
    migrate = Steps(StoreUnavailable("PostgreSQL does not answer: no route."))
    said = run(migrate, cloudformation)
    assert (said["Status"], said["Reason"]) == ("FAILED", "PostgreSQL does not answer: no route.")
    assert migrate.count > 10


def test_tables_of_somebody_else_fail_a_new_deployment_at_once(cloudformation):
    migrate = Steps(UnknownTables("somebody else's"))
    assert run(migrate, cloudformation)["Status"] == "FAILED"
    assert migrate.count == 1


def test_a_deployment_that_is_rolled_back_leaves_later_tables_and_does_not_fail_on_them(cloudformation):
    said = run(Steps(UnknownTables("later")), cloudformation, "Update")
    assert (said["Status"], said["Data"]) == ("SUCCESS", {"Address": "proxy.example"})


def test_a_fault_of_ours_is_told_too_without_its_words(cloudformation):
    said = run(Steps(ValueError("password=hunter2")), cloudformation)
    assert said["Status"] == "FAILED"
    assert "hunter2" not in said["Reason"]


def test_the_end_of_the_stack_deletes_nothing(cloudformation):
    migrate = Steps(AssertionError())
    assert run(migrate, cloudformation, "Delete")["Status"] == "SUCCESS"
    assert migrate.count == 0


def test_by_hand_it_says_what_was_done_or_why_not():
    assert Function(Steps(("0001", "0002")))({"task": "migrate"}, Context()) == {"before": "0001", "after": "0002"}
    with pytest.raises(StoreUnavailable):
        Function(Steps(StoreUnavailable()))({"task": "migrate"}, Context(MARGIN_MS))
    with pytest.raises(OrielError, match="none that this function knows"):
        Function(Steps(("", "")))({"task": "dance"}, Context())
