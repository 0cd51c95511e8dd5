"""The deployment on moto: what the template declares of tables, buckets, queues, keys and roles, made by its own
CloudFormation, and the environment that the template gives each function, resolved by it.

moto's CloudFormation does not know every kind of resource. Secrets are made beside it; what nothing here runs on
(aliases, the HTTP API, CloudFront, alarms) stands in the template by a name, and is checked by cfn-lint and by
tests/deployment alone.
"""

import json
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import boto3

from tests.support.aws import CREDENTIALS, REGION, moto_endpoint

ROOT = Path(__file__).parents[2]
ACCOUNT = "123456789012"
MADE = ("DynamoDB::Table", "S3::Bucket", "SQS::Queue", "IAM::Role", "Logs::LogGroup", "SNS::Topic")
MADE += ("EC2::VPC", "EC2::Subnet", "EC2::InternetGateway", "EC2::VPCGatewayAttachment", "EC2::VPCEndpoint", "EC2::EIP")
MADE += ("EC2::RouteTable", "EC2::Route", "EC2::SubnetRouteTableAssociation", "EC2::NatGateway", "EC2::SecurityGroup")
MADE += ("RDS::DBSubnetGroup",)
PARAMETERS = {
    "HostOrigins": "https://app.example",
    "OidcIssuer": "https://id.example",
    "OidcJwks": "https://id.example/k",
}


@cache
def plain(**parameters: str) -> dict[str, Any]:
    """The template as plain CloudFormation (`tools/transform.py`)."""
    given = json.dumps({**PARAMETERS, **parameters})
    command = [ROOT / ".venv/sam/bin/python", ROOT / "tools/transform.py", ROOT / "template.yaml", given, "s3://code/x"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"make .venv/sam.stamp installs what the template needs\n{done.stderr}")
    return json.loads(done.stdout)


@cache
def chosen(**parameters: str) -> dict[str, Any]:
    """The same with what its conditions choose for these parameters, and without what they leave out."""
    template = plain()
    given = {name: parameter.get("Default") for name, parameter in template["Parameters"].items()}
    given |= PARAMETERS | parameters
    conditions = {name: _holds(condition, given) for name, condition in template["Conditions"].items()}
    parts = {part: _chosen(template[part], conditions) for part in ("Resources", "Outputs")}
    kept = {
        part: {name: value for name, value in values.items() if conditions.get(value.pop("Condition", ""), True)}
        for part, values in parts.items()
    }
    return template | kept


def _holds(condition: Any, given: dict[str, Any]) -> Any:
    if not isinstance(condition, dict):
        return str(condition)
    ((kind, value),) = condition.items()
    if kind == "Ref":
        return str(given[value])
    inner = [_holds(part, given) for part in value]
    return {"Fn::Equals": inner[0] == inner[-1], "Fn::Not": not inner[0], "Fn::And": all(inner), "Fn::Join": inner[-1]}[
        kind
    ]


_NOTHING = {"Ref": "AWS::NoValue"}


def _chosen(value: Any, conditions: dict[str, bool]) -> Any:
    if isinstance(value, list):
        return [chosen for entry in value if (chosen := _chosen(entry, conditions)) != _NOTHING]
    if not isinstance(value, dict):
        return value
    match value:
        case {"Fn::If": [name, yes, no]} if len(value) == 1:
            return _chosen(yes if conditions[name] else no, conditions)
    pairs = {key: _chosen(entry, conditions) for key, entry in value.items()}
    return {key: entry for key, entry in pairs.items() if entry != _NOTHING}


def boto(service: str) -> Any:
    """A client of moto's."""
    return boto3.client(
        service,
        region_name=REGION,
        endpoint_url=moto_endpoint(),
        aws_access_key_id=CREDENTIALS.access_key_id,
        aws_secret_access_key=CREDENTIALS.secret_access_key,
    )


class Stack:
    """One deployment: `environment` of each function, `outputs` by resource, `roles` with their policies."""

    def __init__(self, name: str, **parameters: str) -> None:
        template = chosen(**parameters)
        resources = template["Resources"]
        stands_for = {
            logical: _made_beside(f"{name}-{logical}", resource)
            for logical, resource in resources.items()
            if resource["Type"].removeprefix("AWS::") not in MADE
        }
        kept = {logical: _without(resources[logical]) for logical in resources if logical not in stands_for}
        functions = {key: value for key, value in resources.items() if value["Type"] == "AWS::Lambda::Function"}
        wanted = {
            f"{logical}0{variable.replace('_', '0')}": {"Value": value}
            for logical, function in functions.items()
            for variable, value in function["Properties"]["Environment"]["Variables"].items()
        }
        document = {"Parameters": template["Parameters"], "Resources": kept, "Outputs": wanted}
        cloud = boto("cloudformation")
        cloud.create_stack(
            StackName=name,
            TemplateBody=json.dumps(_resolved(document, stands_for)),
            Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in {**PARAMETERS, **parameters}.items()],
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
        )
        said = {o["OutputKey"]: o["OutputValue"] for o in cloud.describe_stacks(StackName=name)["Stacks"][0]["Outputs"]}
        self.functions = functions
        defaults = {key: parameter.get("Default") for key, parameter in template["Parameters"].items()}
        self.parameters = defaults | PARAMETERS | parameters
        self.resources = resources
        self.beside = stands_for
        self.physical = {
            summary["LogicalResourceId"]: summary["PhysicalResourceId"]
            for summary in cloud.list_stack_resources(StackName=name)["StackResourceSummaries"]
        }
        self._complete(kept)
        self.environment = {
            logical: {
                variable: said.get(f"{logical}0{variable.replace('_', '0')}", "")
                for variable in function["Properties"]["Environment"]["Variables"]
            }
            for logical, function in functions.items()
        }

    def _complete(self, resources: dict[str, Any]) -> None:
        """What the template asks for and moto's CloudFormation leaves out, and backups need."""
        for logical, resource in resources.items():
            name, asked = self.physical.get(logical), resource.get("Properties", {})
            if resource["Type"] == "AWS::S3::Bucket":
                boto("s3").put_bucket_versioning(Bucket=name, VersioningConfiguration=asked["VersioningConfiguration"])
            if resource["Type"] == "AWS::DynamoDB::Table":
                boto("dynamodb").update_continuous_backups(
                    TableName=name, PointInTimeRecoverySpecification=asked["PointInTimeRecoverySpecification"]
                )


def _made_beside(name: str, resource: dict[str, Any]) -> str:
    if resource["Type"] == "AWS::SecretsManager::Secret":
        return boto("secretsmanager").create_secret(Name=name, SecretString=os.urandom(32).hex())["ARN"]
    if resource["Type"] == "AWS::KMS::Key":  # moto's CloudFormation makes every key a symmetric one
        spec = {
            name: resource["Properties"][name] for name in ("KeySpec", "KeyUsage") if name in resource["Properties"]
        }
        return boto("kms").create_key(**spec)["KeyMetadata"]["Arn"]
    if resource["Type"] == "AWS::RDS::DBProxy":
        return f"arn:aws:rds:{REGION}:{ACCOUNT}:db-proxy:prx-{name}"
    if resource["Type"] == "AWS::Scheduler::ScheduleGroup":
        boto("scheduler").create_schedule_group(Name=name)
    if resource["Type"] == "AWS::Events::EventBus":
        boto("events").create_event_bus(Name=name)
    if resource["Type"] in {"AWS::Lambda::Alias", "AWS::Lambda::Function"}:
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
    return name


def _without(resource: dict[str, Any]) -> dict[str, Any]:
    """A resource without what moto refuses and nothing here is about."""
    return {key: value for key, value in resource.items() if key in {"Type", "Properties"}}


def _resolved(value: Any, stands_for: dict[str, str]) -> Any:
    """References to what moto does not make, as text."""
    if isinstance(value, list):
        return [_resolved(entry, stands_for) for entry in value]
    if not isinstance(value, dict):
        return value
    match value:
        case {"Ref": str(name)} if name in stands_for:
            return stands_for[name]
        case {"Fn::GetAtt": [str(name), *_]} if name in stands_for:
            return stands_for[name]
        case {"Fn::Sub": str(text)}:
            named = re.compile(rf"\$\{{({'|'.join(stands_for)})(\.[\w.]+)?\}}")
            return {"Fn::Sub": named.sub(lambda found: stands_for[found[1]], text)}
    return {key: _resolved(entry, stands_for) for key, entry in value.items()}
