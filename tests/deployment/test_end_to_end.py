"""The suite of every platform, on the functions as they are deployed, and what is only there."""

import json

from tests.suites.calls import *  # noqa: F403 - collected here, with this folder's platform
from tests.suites.calls import problem_of
from tests.support.platform import client


def test_the_runner_takes_no_call_without_the_gateways_token(platform):
    runner = platform.function("RunnerFunction")
    for event in ({}, {"token": "abc.def.ghi", "body": "{}"}, {"body": "{}"}):
        answer = runner.call(event)
        assert answer["status"] == 401 or answer["status"] == 403
        assert json.loads(answer["body"])["code"] == "untrusted_caller"


def test_a_path_that_no_route_has_is_not_the_platforms(platform):
    with client(platform) as caller:
        assert caller.send("GET", "/oriel.db").status_code == 404


def test_a_message_that_names_no_upload_goes_back_to_its_queue(platform):
    publisher = platform.function("PublisherFunction")
    lost = {"messageId": "m1", "body": "not json"}
    gone = {"messageId": "m2", "body": json.dumps({"upload_id": "upl_gone"})}
    assert publisher.call({"Records": [lost, gone]}) == {"batchItemFailures": [{"itemIdentifier": "m1"}]}


def test_a_rebuild_with_nothing_to_do_says_so(platform):
    assert platform.function("PublisherFunction").call({"task": "rebuild"}) == {"remaining": False}


def test_an_undeclared_method_says_which_ones_there_are_through_lambda_too(platform):
    with client(platform) as caller:
        assert problem_of(caller.call("com.acme.nowhere", "/"))["code"] == "extension_not_installed"


def test_an_audit_is_verified_and_held_against_the_checkpoint_that_the_publisher_left(platform):
    platform.function("PublisherFunction").call({"task": "keep-house"})
    with client(platform) as operator:
        kept = operator.api("GET", "/audit/platform/checkpoint")
        found = operator.api("POST", "/audit/platform/verify", json={"checkpoint": kept})
    assert (found["intact"], found["checkpoints"]) == (True, 2)
