import json
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from oriel.capabilities import CAPABILITIES
from oriel.manifest import LimitsRequest, Manifest, manifest_schema
from tests.manifest.test_model import FULL
from tests.support.bundles import manifest_document

PUBLISHED = Path(__file__).parents[2] / "docs" / "reference" / "manifest.schema.json"


def test_the_published_schema_is_the_generated_one():
    printed = subprocess.run([sys.executable, "-m", "oriel.manifest"], capture_output=True, check=True).stdout
    assert PUBLISHED.read_bytes() == printed, "run: python -m oriel.manifest > docs/reference/manifest.schema.json"


def test_the_schema_is_valid_draft_2020_12():
    Draft202012Validator.check_schema(manifest_schema())


@pytest.mark.parametrize("document", [FULL, manifest_document(), {"$schema": "x", **manifest_document()}])
def test_the_schema_takes_what_the_parser_takes(document):
    assert list(Draft202012Validator(manifest_schema()).iter_errors(json.loads(json.dumps(document)))) == []


@pytest.mark.parametrize(
    "overrides",
    [
        {"titel": "x"},
        {"name": "Reports"},
        {"capabilities": ["storge.kv"]},
        {"capabilities": [{"name": "storage.kv"}]},
        {"api": {"endpoints": [{"method": "GET", "path": "reports"}]}},
        {"ui": {"hooks": {"appMenu": [{"lable": "x"}]}}},
        {"runtime": "wasm"},
        {"version": None},
    ],
)
def test_the_schema_shows_an_editor_the_common_mistakes(overrides):
    assert list(Draft202012Validator(manifest_schema()).iter_errors(manifest_document(**overrides)))


def test_the_example_of_the_reference_is_valid():
    page = PUBLISHED.with_name("manifest.md").read_text(encoding="utf-8")
    example = page.split("```json\n")[1].split("```")[0]
    assert Manifest.parse(example).asked["http.fetch"].hosts == ("api.acme.com", "*.cdn.acme.com")
    assert json.loads(example).keys() == manifest_schema()["properties"].keys() - {"$schema"}


def test_the_reference_names_every_capability_and_limit():
    page = PUBLISHED.with_name("manifest.md").read_text(encoding="utf-8")
    for word in [*CAPABILITIES, *LimitsRequest.model_fields]:
        assert f"`{word}`" in page
