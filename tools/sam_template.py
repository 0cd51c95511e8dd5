"""The template that `sam local` runs: the deployment's functions, layers and routes, with everything resolved."""

from pathlib import Path
from typing import Any

import yaml

from tests.support.lambdas import ARCH, built
from tests.support.stack import ROOT, Stack

ISSUER = "urn:oriel:local"
KEYS = "/opt/jwks.json"  # a layer brings it into the containers


def local_template(stack: Stack, keys: Path, moto: str, lambda_url: str) -> dict[str, Any]:
    """The deployment's functions with their variables resolved, as SAM runs them: on moto, and each other."""
    layers = {"WasmtimeLayer": built() / "WasmtimeLayer", "Keys": keys}
    resources: dict[str, Any] = {
        name: {
            "Type": "AWS::Serverless::LayerVersion",
            "Properties": {"ContentUri": str(path), "CompatibleArchitectures": [ARCH]},
        }
        for name, path in layers.items()
    }
    for name, function in stack.functions.items():
        given = function["Properties"]
        variables = stack.environment[name] | {"AWS_ENDPOINT_URL": moto, "AWS_ENDPOINT_URL_LAMBDA": lambda_url}
        if "ORIEL_RUNNER" in variables:
            variables["ORIEL_RUNNER"] = "lambda:RunnerFunction"  # `sam local` knows no aliases
        if "ORIEL_OIDC_ISSUER" in variables:
            variables |= {"ORIEL_OIDC_ISSUER": ISSUER, "ORIEL_OIDC_JWKS": KEYS}
        resources[name] = {
            "Type": "AWS::Serverless::Function",
            "Properties": {
                **{kept: given[kept] for kept in ("Handler", "Runtime", "Timeout")},
                "CodeUri": str(built() / name),
                "Architectures": [ARCH],
                "MemorySize": int(_parameter(stack, given["MemorySize"])),
                "Layers": [{"Ref": layer} for layer in (["WasmtimeLayer"] if given.get("Layers") else []) + ["Keys"]],
                "Environment": {"Variables": variables},
                "Events": routes(name),
            },
        }
    return {"Transform": "AWS::Serverless-2016-10-31", "Resources": resources}


def routes(function: str) -> dict[str, Any]:
    """The HTTP routes that the template gives a function."""
    events = template_resources()[function]["Properties"].get("Events", {})
    return {
        name: {
            "Type": "HttpApi",
            "Properties": {key: event["Properties"][key] for key in ("Path", "Method")},
        }
        for name, event in events.items()
        if event["Type"] == "HttpApi"
    }


def template_resources() -> dict[str, Any]:
    """The resources of template.yaml as they are written, short forms of CloudFormation left as text."""

    class Loader(yaml.SafeLoader):
        pass

    Loader.add_multi_constructor("!", lambda _loader, _tag, node: node.value)
    resources: dict[str, Any] = yaml.load((ROOT / "template.yaml").read_text(), Loader)["Resources"]
    return resources


def _parameter(stack: Stack, value: Any) -> Any:
    return stack.parameters[value["Ref"]] if isinstance(value, dict) else value
