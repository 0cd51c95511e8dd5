"""The end-to-end suite of one machine, on the functions as they are deployed (see tests/support/aws_platform.py)."""

import json

import pytest

from tests.deployment.test_permissions import FUNCTIONS, allowed, leading_keys
from tests.local.test_end_to_end import (  # collected here once more, with this folder's platform
    problem_of,
    test_a_body_comes_back_as_it_was_sent,
    test_a_call_leaves_a_receipt_and_is_counted,
    test_a_capability_that_is_not_granted_answers_denied,
    test_a_component_that_imports_what_the_manifest_does_not_ask_for_is_refused,
    test_a_good_signature_by_an_untrusted_key_is_refused,
    test_a_tenant_header_cannot_name_another_tenant,
    test_an_extension_is_published_installed_and_called,
    test_an_undeclared_endpoint_and_an_undeclared_method_are_refused,
    test_another_tenants_token_finds_nothing,
)
from tests.support.platform import client
from tools.imports import ENTRIES, OWN, reachable

__all__ = [
    "test_a_body_comes_back_as_it_was_sent",
    "test_a_call_leaves_a_receipt_and_is_counted",
    "test_a_capability_that_is_not_granted_answers_denied",
    "test_a_component_that_imports_what_the_manifest_does_not_ask_for_is_refused",
    "test_a_good_signature_by_an_untrusted_key_is_refused",
    "test_a_tenant_header_cannot_name_another_tenant",
    "test_an_extension_is_published_installed_and_called",
    "test_an_undeclared_endpoint_and_an_undeclared_method_are_refused",
    "test_another_tenants_token_finds_nothing",
]

PART_OF = {function: part for part, functions in FUNCTIONS.items() for function in functions}
S3_ACTIONS = {
    "GET": "GetObject",
    "HEAD": "GetObject",
    "PUT": "PutObject",
    "DELETE": "DeleteObject",
    "POST": "PutObject",
}


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


def test_every_request_that_was_made_of_aws_is_one_that_its_functions_role_allows(platform):
    """The last test here: what all the others made the functions ask, held against their policies."""
    refused = set()
    for function, action, asked in platform.seen:
        part = PART_OF[function]
        named = _actions(action, asked)
        refused |= {(part, name) for name in named if name not in allowed(part)}
        if part in {"gateway", "runner"} and action.startswith("dynamodb:"):
            refused |= {(part, key) for key in _partitions(asked) if not _may(part, named, key)}
    assert refused == set()
    assert {PART_OF[function] for function, *_ in platform.seen} >= set(FUNCTIONS) - {"events", "library", "migration"}


@pytest.mark.parametrize("function", PART_OF)
def test_what_a_function_has_imported_is_what_the_sources_say(platform, function):
    """So its package is exact: what is imported with the handler, and what its code imports later."""
    platform.function(function).call({})  # it starts, where no other test had it start, and refuses this
    entry = ENTRIES[PART_OF[function]]
    imported = {module for module in platform.imported(function) if module.partition(".")[0] in OWN}
    assert reachable(entry, later=False).own - imported == set()
    assert imported - reachable(entry).own == set()


def _actions(action, asked):
    service, _, name = action.partition(":")
    if service == "s3":
        return {f"s3:{'ListBucket' if 'list-type' in asked else S3_ACTIONS[name]}"}
    if name == "TransactWriteItems":
        kinds = {
            "Put": "PutItem",
            "Update": "UpdateItem",
            "Delete": "DeleteItem",
            "ConditionCheck": "ConditionCheckItem",
        }
        return {f"dynamodb:{kinds[kind]}" for item in json.loads(asked)["TransactItems"] for kind in item}
    return {action}


def _partitions(asked):
    """The partition keys that a request names, wherever they stand in it."""
    found = set()

    def walk(value):
        if isinstance(value, dict):
            for name in ("pk", ":pk"):
                if isinstance(value.get(name), dict) and "S" in value[name]:
                    found.add(value[name]["S"])
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    walk(json.loads(asked))
    return found


def _may(part, actions, key):
    from fnmatch import fnmatchcase

    for action in actions:
        patterns = leading_keys(part, action)
        if patterns is not None and not any(fnmatchcase(key, pattern) for pattern in patterns):
            return False
    return True
