"""The template as plain CloudFormation, which moto and other readers understand. Run it with SAM's own Python.

    .venv/sam/bin/python tools/transform.py template.yaml '{"Environment": "dev", …}' s3://BUCKET/KEY > plain.json

The last argument stands for the code of every function and layer, which `sam package` would upload.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("AWS_DEFAULT_REGION", "eu-central-1")

from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator


def plain(template: dict[str, Any], parameters: dict[str, str], code: str) -> dict[str, Any]:
    """The template with what `AWS::Serverless` stands for."""
    for resource in template["Resources"].values():
        for name in ("CodeUri", "ContentUri"):
            if name in resource.get("Properties", {}):
                resource["Properties"][name] = code
    defaults = {name: parameter.get("Default") for name, parameter in template["Parameters"].items()}
    translated: dict[str, Any] = Translator({}, Parser()).translate(template, {**defaults, **parameters})
    return translated


if __name__ == "__main__":
    path, parameters, code = sys.argv[1:]
    template = yaml_parse(Path(path).read_text(encoding="utf-8"))
    print(json.dumps(plain(template, json.loads(parameters), code), default=str))
