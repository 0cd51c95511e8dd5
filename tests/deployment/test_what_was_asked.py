"""What all the other tests here have made the functions ask of AWS, and import. It is collected last."""

import json
from fnmatch import fnmatchcase

import pytest

from tests.deployment.test_permissions import FUNCTIONS, allowed, leading_keys
from tools.imports import ENTRIES, OWN, reachable

PART_OF = {function: part for part, functions in FUNCTIONS.items() for function in functions if part != "migration"}
S3_ACTIONS = {
    "GET": "GetObject",
    "HEAD": "GetObject",
    "PUT": "PutObject",
    "DELETE": "DeleteObject",
    "POST": "PutObject",
}


def test_every_request_that_was_made_of_aws_is_one_that_its_functions_role_allows(platform):
    refused = set()
    for function, action, asked in platform.seen:
        part = PART_OF[function]
        named = _actions(action, asked)
        refused |= {(part, name) for name in named if name not in allowed(part)}
        if part in {"gateway", "events", "runner"} and action.startswith("dynamodb:"):
            refused |= {(part, key) for key in _partitions(asked) if not _may(part, named, key)}
    assert refused == set()
    assert {PART_OF[function] for function, *_ in platform.seen} == set(PART_OF.values())


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
    for action in actions:
        patterns = leading_keys(part, action)
        if patterns is not None and not any(fnmatchcase(key, pattern) for pattern in patterns):
            return False
    return True
