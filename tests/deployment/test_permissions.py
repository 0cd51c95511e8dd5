"""Least privilege, both ways: what a role allows its function's code can ask for, and what matters it does not allow.

The AWS calls are read off the code of each package: operations of the light clients and of the blob store, by the
modules that the function comes to.
"""

import re
from fnmatch import fnmatchcase

import pytest

from oriel.store.dynamodb import table
from tests.deployment.test_packages import ENTRIES, reachable, source_of
from tests.support.stack import plain

ROLES = {"gateway": "GatewayRole", "runner": "RunnerRole", "registry": "RegistryRole", "publisher": "PublisherRole"}
DYNAMODB = {
    "get_item": {"GetItem"},
    "batch_get_item": {"BatchGetItem"},
    "batch_write_item": {"BatchWriteItem"},
    "query": {"Query"},
    "put_item": {"PutItem"},
    "update_item": {"UpdateItem"},
    "delete_item": {"DeleteItem"},
    "transact_write_items": {"ConditionCheckItem", "PutItem", "UpdateItem", "DeleteItem"},
}
S3 = {
    "get_object": {"GetObject"},
    "head_object": {"GetObject"},
    "put_object": {"PutObject"},
    "upload_part": {"PutObject"},
    "delete_object": {"DeleteObject"},
    "list_objects_v2": {"ListBucket"},
    "abort_multipart_upload": {"AbortMultipartUpload"},
}
# By what a module of ours says: the pattern, and the action it stands for.
CALLS = {
    r"_kms\.sign\(": "kms:Sign",
    r"_kms\.get_public_key\(": "kms:GetPublicKey",
    r"_kms\.generate_data_key\(": "kms:GenerateDataKey",
    r"_kms\.decrypt\(": "kms:Decrypt",
    r"_secrets\.get_secret_value\(": "secretsmanager:GetSecretValue",
    r"\.send_message\(": "sqs:SendMessage",
    r"_client\.invoke\(": "lambda:InvokeFunction",
    r'_client\.signed\("GET"': "s3:GetObject",
    r'"put_lifecycle_event_hook_execution_status"|\.put_lifecycle_event_hook_execution_status\(': (
        "codedeploy:PutLifecycleEventHookExecutionStatus"
    ),
}
# Lambda asks for these itself, with the function's role.
OF_LAMBDA = {"logs:CreateLogStream", "logs:PutLogEvents"}
OF_THE_QUEUE = {"sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"}
# Asked for by REST, in oriel.aws (tests/aws/test_bell.py).
OF_THE_BELL = {
    "registry": {"iam:PassRole", "scheduler:CreateSchedule", "scheduler:UpdateSchedule"},
    "runner": {"sqs:SendMessage"},
}
# The code is in the package, and the function never comes to it: the role holds it to that.
NEVER_ASKED = {
    "gateway": {
        "dynamodb:BatchWriteItem": "only deletions write in batches",
        "kms:Sign": "it signs with a key of its own", "kms:GetPublicKey": "it verifies no artifact",
        "kms:GenerateDataKey": "it seals nothing", "kms:Decrypt": "it passes secrets on sealed",
    },
    "runner": {
        "dynamodb:BatchWriteItem": "only deletions write in batches",
        **dict.fromkeys(
            ("s3:PutObject", "s3:DeleteObject", "s3:ListBucket", "s3:AbortMultipartUpload"), "it opens blobs to read"
        ),
        "kms:Sign": "it verifies what others signed", "kms:GenerateDataKey": "it opens secrets, and seals none",
    },
    "registry": {
        "kms:Sign": "the publisher signs", "kms:GetPublicKey": "the publisher verifies",
        "secretsmanager:GetSecretValue": "it calls neither the runner nor the product",
    },
    "publisher": {
        "kms:GenerateDataKey": "it seals again under a key that is there",
        "secretsmanager:GetSecretValue": "it calls neither the runner nor the product",
        "sqs:SendMessage": "it is told, and tells nobody",
        "s3:AbortMultipartUpload": "it streams nothing in parts",
    },
}  # fmt: skip


def statements(part):
    policies = plain()["Resources"][ROLES[part]]["Properties"]["Policies"]
    return [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]


def listed(value):
    return value if isinstance(value, list) else [value]


def allowed(part):
    return {action for statement in statements(part) for action in listed(statement["Action"])}


def asked(part):
    """The actions that a function's code can ask for."""
    found = set()
    for module in reachable(ENTRIES[part])[0]:
        text = source_of(module).read_text()
        if module == "oriel.store.dynamodb.requests":
            found |= {f"dynamodb:{a}" for operation in _operations(text) for a in DYNAMODB.get(operation, ())}
        if module == "oriel.blobs.s3":
            found |= {f"s3:{a}" for operation in _operations(text) for a in S3.get(operation, ())}
        found |= {action for pattern, action in CALLS.items() if re.search(pattern, text)}
    return found


def _operations(text):
    return set(re.findall(r'_(?:send|once)\(\s*"([a-z0-9_]+)"', text)) | (
        {"put_object"} if "generate_presigned" in text else set()
    )


@pytest.mark.parametrize("part", ROLES)
def test_a_role_allows_nothing_that_its_functions_code_does_not_ask_for(part):
    of_lambda = OF_LAMBDA | (OF_THE_QUEUE if part == "publisher" else set()) | OF_THE_BELL.get(part, set())
    assert allowed(part) - asked(part) - of_lambda == set()


@pytest.mark.parametrize("part", ROLES)
def test_what_a_functions_code_asks_for_its_role_allows_but_for_what_it_never_comes_to(part):
    assert asked(part) - allowed(part) == NEVER_ASKED[part].keys() & asked(part)
    assert not allowed(part) & NEVER_ASKED[part].keys()


@pytest.mark.parametrize("part", ROLES)
def test_no_role_names_a_wildcard_for_an_action_or_a_resource(part):
    for statement in statements(part):
        assert not any("*" in action for action in listed(statement["Action"]))
        assert "*" not in listed(statement["Resource"])


def leading_keys(part, action):
    """The partitions that a role may touch with an action; None where it may touch all."""
    keys = []
    for statement in statements(part):
        if action in listed(statement["Action"]):
            condition = statement.get("Condition", {}).get("ForAllValues:StringLike")
            if condition is None:
                return None
            keys += condition["dynamodb:LeadingKeys"]
    return keys


WRITES = ("dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem")
EVERYBODYS = [
    table.publisher("com.acme").partition,
    table.versions("com.acme.reports"),
    table.bundle("sha256:aa").partition,
    table.upload("upl_1").partition,
    table.PUBLISHERS,
    table.EXTENSIONS,
    table.QUARANTINE,
]


@pytest.mark.parametrize("part", ["gateway", "runner"])
def test_gateway_and_runner_cannot_write_what_is_everybodys(part):
    for action in WRITES:
        patterns = leading_keys(part, action)
        assert not [key for key in EVERYBODYS for pattern in patterns if fnmatchcase(key, pattern)]


def test_the_runner_reaches_guest_records_and_no_execution_or_list_of_installs():
    patterns = leading_keys("runner", "dynamodb:GetItem")
    reached = [table.guest_records("t1", "ins_1")]
    closed = [table.executions("t1"), table.installs("t1")]
    assert all(any(fnmatchcase(key, pattern) for pattern in patterns) for key in reached)
    assert not [key for key in closed + EVERYBODYS for pattern in patterns if fnmatchcase(key, pattern)]


def test_the_gateway_reads_no_bundle():
    assert not [action for action in allowed("gateway") if action.startswith("s3:")]


def test_only_the_publisher_signs_and_only_the_gateway_calls_the_runner():
    assert [part for part in ROLES if "kms:Sign" in allowed(part)] == ["publisher"]
    assert [part for part in ROLES if "lambda:InvokeFunction" in allowed(part)] == ["gateway"]
