"""Least privilege, both ways: what a role allows its function's code can ask for, and what matters it does not allow.

The AWS calls are read off the code of each package: operations of the light clients and of the blob store, by the
modules that the function comes to.
"""

import re
from fnmatch import fnmatchcase

import pytest

from oriel.store.dynamodb import table
from oriel.store.sql.roles import IN_AWS
from tests.support.stack import chosen
from tools.imports import ENTRIES, reachable, source_of

FUNCTIONS = {
    "gateway": ("GatewayFunction",),
    "events": ("EventsFunction",),
    "runner": ("RunnerFunction",),
    "registry": ("RegistryFunction",),
    "publisher": ("PublisherFunction", "RebuildFunction"),
    "library": ("LibraryFunction",),
    "migration": ("MigrationFunction",),
}
STORES = ("dynamodb", "postgresql")
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
    r"auth_token\(target, source\(\)\)": "rds-db:connect",
    r"_client\.invoke\(": "lambda:InvokeFunction",
    r'_client\.signed\("GET"': "s3:GetObject",
    r'client\.signed\("PUT"': "s3:PutObject",
    r'"ScheduleExpression"': "scheduler:CreateSchedule",
    r'_send\("PUT", name': "scheduler:UpdateSchedule",
    r'"RoleArn": self\._role_arn': "iam:PassRole",
    r'"put_lifecycle_event_hook_execution_status"|\.put_lifecycle_event_hook_execution_status\(': (
        "codedeploy:PutLifecycleEventHookExecutionStatus"
    ),
}
# Lambda asks for these itself, with the function's role.
OF_LAMBDA = {"logs:CreateLogStream", "logs:PutLogEvents"}
OF_A_NETWORK = {
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
}
OF_A_QUEUE = {"sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"}
# What a function cannot ask for without one of these variables, which say of what it is asked.
NEEDS = {
    "kms:Sign": {"ORIEL_PLATFORM_KEY"},
    "kms:GetPublicKey": {"ORIEL_PLATFORM_KEY"},
    "kms:GenerateDataKey": {"ORIEL_DATA_KEY"},
    "kms:Decrypt": {"ORIEL_DATA_KEY"},
    "secretsmanager:GetSecretValue": {"ORIEL_SERVICE_SECRET", "ORIEL_SESSION_SECRET", "ORIEL_HOST_SECRET"},
    "sqs:SendMessage": {"ORIEL_WORK_QUEUE", "ORIEL_PUBLISH_QUEUE"},
    "scheduler:CreateSchedule": {"ORIEL_SCHEDULER"},
    "scheduler:UpdateSchedule": {"ORIEL_SCHEDULER"},
    "iam:PassRole": {"ORIEL_SCHEDULER_ROLE"},
    "lambda:InvokeFunction": {"ORIEL_RUNNER"},
}
# The code is in the package and the settings are there, and the function never comes to it: its role holds it to that.
NEVER_ASKED = {
    "gateway": {"dynamodb:BatchWriteItem": "only deletions write in batches"},
    "events": {"dynamodb:BatchWriteItem": "only deletions write in batches"},
    "runner": {
        "dynamodb:BatchWriteItem": "only deletions write in batches",
        **dict.fromkeys(
            ("s3:PutObject", "s3:DeleteObject", "s3:ListBucket", "s3:AbortMultipartUpload"), "it opens blobs to read"
        ),
        "kms:Sign": "it verifies what others signed", "kms:GenerateDataKey": "it opens secrets, and seals none",
    },
    "registry": {"kms:Sign": "it is made with `signs=False`: the publisher signs"},
    "publisher": {
        "kms:GenerateDataKey": "it seals again under a key that is there",
        "s3:AbortMultipartUpload": "it streams nothing in parts",
    },
    "library": {},
    "migration": {},
}  # fmt: skip


PARTS = [(store, part) for store in STORES for part in FUNCTIONS if store == "postgresql" or part != "migration"]


def resources(store):
    former = "arn:aws:kms:eu-central-1:123456789012:key/former"
    return chosen(BelievedPlatformKeys=former, Store=store)["Resources"]


def statements(part, store="dynamodb", effect="Allow"):
    """Of the role that all functions of the part have."""
    found = resources(store)
    (role,) = {found[function]["Properties"]["Role"]["Fn::GetAtt"][0] for function in FUNCTIONS[part]}
    policies = found[role]["Properties"]["Policies"]
    given = [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]
    return [statement for statement in given if statement["Effect"] == effect]


def listed(value):
    return value if isinstance(value, list) else [value]


def allowed(part, store="dynamodb"):
    return {action for statement in statements(part, store) for action in listed(statement["Action"])}


def asked(part, store):
    """The actions that a function's code can ask for, with what its variables name."""
    found = set()
    for module in reachable(ENTRIES[part]).own:
        text = source_of(module).read_text()
        if module == "oriel.store.dynamodb.requests":
            found |= {f"dynamodb:{a}" for operation in _operations(text) for a in DYNAMODB.get(operation, ())}
        if module == "oriel.blobs.s3":
            found |= {f"s3:{a}" for operation in _operations(text) for a in S3.get(operation, ())}
        found |= {action for pattern, action in CALLS.items() if re.search(pattern, text)}
    given = {name for function in FUNCTIONS[part] for name in variables(function, store)}
    elsewhere = "rds-db:" if store == "dynamodb" else "dynamodb:"
    found = {action for action in found if not action.startswith(elsewhere)}
    return {action for action in found if not (needed := NEEDS.get(action)) or needed & given}


def variables(function, store):
    return resources(store)[function]["Properties"]["Environment"]["Variables"]


def takes_from_a_queue(part):
    """Whether Lambda takes messages for one of the part's functions."""
    found = resources("dynamodb").values()
    mappings = [r["Properties"] for r in found if r["Type"] == "AWS::Lambda::EventSourceMapping"]
    return any(function in str(mapping["FunctionName"]) for mapping in mappings for function in FUNCTIONS[part])


def in_a_network(part, store):
    (is_in,) = {"VpcConfig" in resources(store)[function]["Properties"] for function in FUNCTIONS[part]}
    return is_in


def _operations(text):
    return set(re.findall(r'_(?:send|once)\(\s*"([a-z0-9_]+)"', text)) | (
        {"put_object"} if "generate_presigned" in text else set()
    )


@pytest.mark.parametrize(("store", "part"), PARTS)
def test_a_role_allows_nothing_that_its_functions_code_does_not_ask_for(store, part):
    of_lambda = OF_LAMBDA | (OF_A_QUEUE if takes_from_a_queue(part) else set())
    of_lambda |= OF_A_NETWORK if in_a_network(part, store) else set()
    assert allowed(part, store) - asked(part, store) == of_lambda


@pytest.mark.parametrize(("store", "part"), PARTS)
def test_what_a_functions_code_asks_for_its_role_allows_but_for_what_it_never_comes_to(store, part):
    never = {action for action in NEVER_ASKED[part] if store == "dynamodb" or not action.startswith("dynamodb:")}
    assert asked(part, store) - allowed(part, store) == never


@pytest.mark.parametrize(("store", "part"), PARTS)
def test_no_role_names_a_wildcard_but_where_aws_has_no_resource_and_then_no_code_may_use_it(store, part):
    wide = [s for s in statements(part, store) if "*" in listed(s["Resource"])]
    assert not any("*" in action for s in statements(part, store) for action in listed(s["Action"]))
    assert {action for s in wide for action in listed(s["Action"])} == (
        OF_A_NETWORK if in_a_network(part, store) else set()
    )
    denied = statements(part, store, "Deny")
    assert [(s["Action"], s["Resource"], s["Condition"]) for s in denied] == (
        [("ec2:*", "*", {"Null": {"lambda:SourceFunctionArn": "false"}})] if in_a_network(part, store) else []
    )


@pytest.mark.parametrize("part", [part for part in FUNCTIONS if part != "library"])
def test_a_function_connects_to_the_proxy_as_the_role_that_its_variables_name_and_as_no_other(part):
    (connect,) = (s for s in statements(part, "postgresql") if s["Action"] == "rds-db:connect")
    place, names = connect["Resource"]["Fn::Sub"]
    users = {variables(function, "postgresql")["ORIEL_STORE"]["Fn::Sub"] for function in FUNCTIONS[part]}
    assert {user.rpartition("?user=")[2] for user in users} == {place.rpartition("/")[2]}
    assert names == {
        "Proxy": {"Fn::Select": [6, {"Fn::Split": [":", {"Fn::GetAtt": ["DatabaseProxy", "DBProxyArn"]}]}]}
    }


def test_the_registrys_role_in_the_database_is_the_registrys_and_the_migrations_are_the_owners():
    given = {part: variables(functions[0], "postgresql") for part, functions in FUNCTIONS.items()}
    named = {part: at["ORIEL_STORE"]["Fn::Sub"].rpartition("=")[2] for part, at in given.items() if "ORIEL_STORE" in at}
    assert named == {
        "gateway": IN_AWS.gateway,
        "events": IN_AWS.gateway,
        "runner": IN_AWS.runner,
        "registry": IN_AWS.registry,
        "publisher": IN_AWS.registry,
        "migration": "oriel_owner",
    }


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


@pytest.mark.parametrize("part", ["gateway", "events", "runner"])
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


def test_what_puts_the_guest_library_in_place_does_nothing_else():
    assert {resource for s in statements("library") for resource in [str(s["Resource"])] if "UiBucket" in resource} == {
        "{'Fn::Sub': '${UiBucket.Arn}/oriel/*'}"
    }


def test_the_gateway_reads_no_bundle():
    assert not [action for action in allowed("gateway") if action.startswith("s3:")]


def test_only_the_publisher_signs_and_only_the_gateways_functions_call_the_runner():
    assert [part for part in FUNCTIONS if "kms:Sign" in allowed(part, "postgresql")] == ["publisher"]
    callers = [part for part in FUNCTIONS if "lambda:InvokeFunction" in allowed(part, "postgresql")]
    assert callers == ["gateway", "events"]
