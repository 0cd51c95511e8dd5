"""The template: clean for CloudFormation and SAM, and nothing in it says otherwise than the code does."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from oriel.settings import Settings
from oriel.store.dynamodb import table
from oriel.store.sql.schema import HEAD
from tests.support.stack import ROOT, chosen, plain
from tools.package import PARTS

STORES = ("dynamodb", "postgresql")


class Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms, which are left as they are written."""


Loader.add_multi_constructor("!", lambda loader, _tag, node: node.value)


@pytest.fixture(scope="module")
def template():
    return yaml.load((ROOT / "template.yaml").read_text(), Loader)


def of_type(resources, kind):
    return {name: resource for name, resource in resources.items() if resource["Type"] == kind}


def test_cfn_lint_finds_nothing():
    done = subprocess.run(
        [ROOT / ".venv/sam/bin/cfn-lint", "template.yaml"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_what_the_ui_origin_sends_is_what_oriel_edge_says():
    check = [sys.executable, "tools/edge_template.py", "--check"]
    done = subprocess.run(check, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_table_is_the_stores(template):
    properties = template["Resources"]["Table"]["Properties"]
    assert {name: properties[name] for name in table.PROPERTIES} == dict(table.PROPERTIES)


def test_every_variable_of_a_function_is_a_setting():
    known = set(Settings().environment())
    for name, function in of_type(plain()["Resources"], "AWS::Lambda::Function").items():
        assert set(function["Properties"]["Environment"]["Variables"]) <= known, name


def test_every_handler_is_in_its_package():
    for name, function in of_type(plain()["Resources"], "AWS::Lambda::Function").items():
        module, _, attribute = function["Properties"]["Handler"].rpartition(".")
        source = Path(ROOT, "functions", *module.split(".")).with_suffix(".py")
        assert f"\n{attribute} = " in source.read_text(), name
        makefile = (ROOT / "functions/Makefile").read_text()
        line = next(line for line in makefile.splitlines() if f"build-{name}" in line)
        part = next(part for part in PARTS if f" {part} " in line)
        assert PARTS[part].entry == module


def test_buckets_are_private_encrypted_and_versioned():
    buckets = of_type(plain()["Resources"], "AWS::S3::Bucket")
    assert len(buckets) == 2
    for bucket in buckets.values():
        properties = bucket["Properties"]
        assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
        assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
        assert properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]


def test_what_holds_data_outlives_the_stack():
    kept = {"AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::KMS::Key", "AWS::Lambda::Version", "AWS::RDS::DBCluster"}
    for name, resource in plain()["Resources"].items():
        assert (resource["Type"] in kept) == (resource.get("DeletionPolicy", "Delete") != "Delete"), name
    assert plain()["Resources"]["Database"]["DeletionPolicy"] == "Snapshot"


def test_there_is_a_table_or_a_database_with_its_network_and_never_both():
    databases = {"AWS::EC2", "AWS::RDS"}

    def kinds(store):
        return {"::".join(r["Type"].split("::")[:2]) for r in chosen(Store=store)["Resources"].values()}

    assert kinds("dynamodb") & (databases | {"AWS::DynamoDB"}) == {"AWS::DynamoDB"}
    assert kinds("postgresql") & (databases | {"AWS::DynamoDB"}) == databases


def test_nothing_that_is_chosen_refers_to_what_is_left_out():
    for store in STORES:
        template = chosen(Store=store)
        there = {*template["Resources"], *template["Parameters"], "AWS::NoValue"}
        assert {name for name in referred_to(template["Resources"]) if not name.startswith("AWS::")} <= there
        assert {name for name in referred_to(template["Outputs"]) if not name.startswith("AWS::")} <= there


def referred_to(value):
    """The names of parameters and resources that stand in `Ref`, `Fn::GetAtt` and `Fn::Sub`."""
    found = set()
    if isinstance(value, list):
        return {name for entry in value for name in referred_to(entry)}
    if not isinstance(value, dict):
        return found
    match value:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), *_]}:
            return {name}
        case {"Fn::Sub": str(text)}:
            return {name.partition(".")[0] for name in re.findall(r"\$\{([\w.:]+)\}", text)}
        case {"Fn::Sub": [str(text), dict(named)]}:
            found = {name.partition(".")[0] for name in re.findall(r"\$\{([\w.:]+)\}", text)} - named.keys()
            return found | referred_to(named)
    return {name for entry in value.values() for name in referred_to(entry)}


def test_the_database_is_private_encrypted_backed_up_and_reached_over_tls_by_iam_alone():
    for environment, days, protected in (("dev", 7, False), ("prod", 35, True)):
        resources = chosen(Store="postgresql", Environment=environment)["Resources"]
        database = resources["Database"]["Properties"]
        assert (database["StorageEncrypted"], database["EnableIAMDatabaseAuthentication"]) == (True, True)
        assert (database["BackupRetentionPeriod"], database["DeletionProtection"]) == (days, protected)
        assert "MasterUserPassword" not in database
        proxy = resources["DatabaseProxy"]["Properties"]
        assert (proxy["RequireTLS"], proxy["DefaultAuthScheme"]) == (True, "IAM_AUTH")
        assert {auth["IAMAuth"] for auth in proxy["Auth"]} == {"REQUIRED"}
        assert not any(
            r["Properties"]["PubliclyAccessible"] for r in of_type(resources, "AWS::RDS::DBInstance").values()
        )
        assert len(of_type(resources, "AWS::RDS::DBInstance")) == len(of_type(resources, "AWS::EC2::NatGateway"))
        assert len(of_type(resources, "AWS::EC2::NatGateway")) == (2 if environment == "prod" else 1)


def test_only_the_proxy_reaches_the_database_and_only_the_functions_reach_the_proxy():
    resources = chosen(Store="postgresql")["Resources"]

    def sources(group):
        rules = resources[group]["Properties"]["SecurityGroupIngress"]
        assert {(rule["FromPort"], rule["ToPort"]) for rule in rules} == {(5432, 5432)}
        return {rule["SourceSecurityGroupId"]["Fn::GetAtt"][0] for rule in rules}

    assert sources("DatabaseSecurityGroup") == {"ProxySecurityGroup"}
    assert sources("ProxySecurityGroup") == {"FunctionsSecurityGroup", "RunnerSecurityGroup"}
    functions = of_type(resources, "AWS::Lambda::Function")
    outside = {name for name, function in functions.items() if "VpcConfig" not in function["Properties"]}
    assert outside == {"LibraryFunction"}  # it asks for no record
    subnets = {str(functions[name]["Properties"]["VpcConfig"]["SubnetIds"]) for name in functions.keys() - outside}
    assert subnets == {str([{"Ref": "PrivateSubnetA"}, {"Ref": "PrivateSubnetB"}])}


def test_the_tables_revision_in_the_template_is_the_stores_and_functions_wait_for_it():
    resources = chosen(Store="postgresql")["Resources"]
    assert resources["TablesMigrated"]["Properties"]["Revision"] == HEAD
    for name, function in of_type(resources, "AWS::Lambda::Function").items():
        store = function["Properties"]["Environment"]["Variables"].get("ORIEL_STORE")
        if store and name != "MigrationFunction":
            assert "TablesMigrated" in referred_to(store), name


def test_alarms_go_to_a_topic_that_alarms_may_use():
    """Those of AWS's own key (alias/aws/sns) would reach nobody."""
    topic = plain()["Resources"]["AlarmTopic"].get("Properties", {})
    assert "KmsMasterKeyId" not in topic
    for name, alarm in of_type(plain()["Resources"], "AWS::CloudWatch::Alarm").items():
        assert alarm["Properties"]["AlarmActions"] == [{"Ref": "AlarmTopic"}], name


GUIDE = (ROOT / "docs/guides/operator-aws.md").read_text()


def test_the_guide_says_of_each_alarm_what_it_means_and_of_no_other():
    section = GUIDE.partition("\n## Alarms\n")[2].partition("\n## ")[0]
    told = re.findall(r"^\| `(\w+)` \| \S.* \| \S.* \|$", section, re.MULTILINE)
    assert sorted(told) == sorted(of_type(plain()["Resources"], "AWS::CloudWatch::Alarm"))


def test_every_parameter_and_output_that_the_guide_names_exists():
    template = plain()
    there = {*template["Parameters"], *template["Resources"], *template["Outputs"]}
    given = set(re.findall(r"(?:^|\s)([A-Z][a-z]\w+)=", GUIDE))
    named = set(re.findall(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)+)`", GUIDE))
    of_aws = {"Enabled", "PointInTimeRecoveryEnabled", "ThrottlingRateLimit"}  # members of requests and of resources
    assert (given | named) - there == of_aws


def test_the_dashboard_is_json_whichever_store_there_is():
    for store in STORES:
        body, named = chosen(Store=store)["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
        given = named["Store"]["Fn::Sub"]
        text = body.replace("${Store}", given if isinstance(given, str) else given[0])
        assert len(json.loads(re.sub(r"\$\{[\w.:]+\}", "x", text))["widgets"]) == 8


def test_log_groups_forget():
    groups = of_type(plain()["Resources"], "AWS::Logs::LogGroup")
    assert len(groups) >= 5
    assert all(group["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"} for group in groups.values())


def test_an_upload_that_cannot_be_published_ends_where_an_alarm_sees_it():
    resources = plain()["Resources"]
    redrive = resources["PublishQueue"]["Properties"]["RedrivePolicy"]
    assert redrive["deadLetterTargetArn"] == {"Fn::GetAtt": ["PublishDeadLetters", "Arn"]}
    alarm = resources["UploadsAreDead"]["Properties"]
    assert alarm["Dimensions"][0]["Value"] == {"Fn::GetAtt": ["PublishDeadLetters", "QueueName"]}
    assert alarm["Threshold"] == 1


def test_tenants_can_be_kept_apart():
    tenancy = plain()["Resources"]["RunnerFunction"]["Properties"]["TenancyConfig"]
    assert tenancy["Fn::If"][:2] == ["HasTenantIsolation", {"TenantIsolationMode": "PER_TENANT"}]


@pytest.mark.parametrize("parameters", [{"Architecture": "x86_64"}, {"SnapStart": "on"}, {"Environment": "prod"}])
def test_the_template_transforms_with_other_parameters(parameters):
    assert plain(**parameters)["Resources"].keys() == plain()["Resources"].keys()
