"""The template: clean for CloudFormation and SAM, and nothing in it says otherwise than the code does."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from oriel.settings import Settings
from oriel.store.dynamodb import table
from tests.support.stack import ROOT, plain
from tools.package import PARTS


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
    kept = {"AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::KMS::Key", "AWS::Lambda::Version"}
    for name, resource in plain()["Resources"].items():
        assert (resource["Type"] in kept) == str(resource.get("DeletionPolicy", "")).startswith("Retain"), name


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
