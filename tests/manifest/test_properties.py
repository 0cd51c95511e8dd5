"""Whatever stands in a manifest, it is a manifest or it is refused in words."""

import copy

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oriel.configuration import as_strings
from oriel.errors import InvalidInput
from oriel.manifest import Manifest, manifest_schema
from oriel.manifest.config import check_config
from tests.manifest.test_model import FULL

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
SCHEMA_WORDS = st.dictionaries(
    st.sampled_from(["type", "properties", "pattern", "default", "items", "allOf", "$ref", "enum", "not", "required"]),
    VALUES | st.sampled_from(["object", "string", ["object"], {"a": {"type": "integer", "default": 1}}]),
    max_size=5,
)


def places(value, at=()):
    yield at
    if isinstance(value, dict):
        for key, item in value.items():
            yield from places(item, (*at, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from places(item, (*at, index))


PLACES = [place for place in places(FULL) if place]


def outcome(call, *arguments):
    """What a call returns, or the refusal it ends with."""
    try:
        return call(*arguments)
    except InvalidInput as refusal:
        return refusal


def parsed(document):
    manifest = outcome(Manifest.parse, document)
    if isinstance(manifest, InvalidInput):
        assert manifest.code == "invalid_manifest"
        assert all(finding.message for finding in manifest.findings)
        return None
    return manifest


def with_value(place, value):
    """The full manifest, with another value in one place."""
    document = copy.deepcopy(FULL)
    parent = document
    for part in place[:-1]:
        parent = parent[part]
    parent[place[-1]] = value
    return document


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(place=st.sampled_from(PLACES), value=VALUES)
def test_any_value_in_any_place_is_taken_or_refused(place, value):
    if manifest := parsed(with_value(place, value)):
        assert Manifest.parse(manifest.to_json()) == manifest


@settings(max_examples=300, deadline=None)
@given(schema=SCHEMA_WORDS, configuration=st.dictionaries(st.text(max_size=3), VALUES, max_size=3))
def test_any_settings_are_refused_or_hold_any_configuration_to_account(schema, configuration):
    manifest = parsed({**FULL, "settings": {"type": "object", **schema}})
    if manifest is None:
        return
    assert all(isinstance(value, str) for value in as_strings(manifest.settings, configuration).values())
    refusal = outcome(check_config, manifest.settings, configuration)
    assert refusal is None or refusal.code == "invalid_config"


@pytest.mark.parametrize("value", [None, 5, "x", True, [], {}, [[]], [{}], [None], {"endpoints": 5}, {"hooks": []}])
@pytest.mark.parametrize("key", sorted(manifest_schema()["properties"]))
def test_a_wrong_kind_of_value_is_a_finding_and_no_crash(key, value):
    manifest = parsed({**FULL, key: value})
    if manifest:
        assert Manifest.parse(manifest.to_json()) == manifest
