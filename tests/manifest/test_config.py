import pytest

from oriel.configuration import as_strings
from oriel.errors import InvalidInput
from oriel.manifest import Manifest
from oriel.manifest.config import MAX_CONFIG_BYTES, check_config
from tests.support.bundles import manifest_document

SETTINGS = {
    "type": "object",
    "properties": {
        "currency": {"type": "string", "pattern": "^[A-Z]{3}$", "default": "EUR"},
        "months": {"type": "integer", "minimum": 1, "default": 12},
        "mail": {
            "type": "object",
            "default": {},
            "properties": {"to": {"type": "string", "format": "email"}, "daily": {"type": "boolean", "default": False}},
        },
    },
    "required": ["currency"],
    "additionalProperties": False,
}


def manifest(settings=SETTINGS):
    return Manifest.parse(manifest_document(settings=settings))


def settings_findings(settings):
    with pytest.raises(InvalidInput) as caught:
        manifest(settings)
    return {finding.at: finding.message for finding in caught.value.findings}


def config_findings(configuration, settings=SETTINGS):
    with pytest.raises(InvalidInput) as caught:
        check_config(manifest(settings).settings, configuration)
    assert caught.value.code == "invalid_config"
    return {finding.at: finding.message for finding in caught.value.findings}


def objects(**properties):
    return {"type": "object", "properties": properties}


def test_the_guest_gets_text_and_defaults():
    assert as_strings(manifest().settings, {"months": 3}) == {
        "currency": "EUR",
        "months": "3",
        "mail": '{"daily":false}',
    }


def test_text_reaches_the_guest_as_it_is():
    assert as_strings(manifest({"type": "object"}).settings, {"a": 'é "x"', "b": None, "c": ["é", 1.5]}) == {
        "a": 'é "x"',
        "b": "null",
        "c": '["é",1.5]',
    }


def test_a_default_satisfies_what_is_required():
    check_config(manifest().settings, {})


def test_filling_in_defaults_changes_neither_schema_nor_configuration():
    configuration = {"mail": {}}
    read = manifest()
    as_strings(read.settings, configuration)
    assert configuration == {"mail": {}}
    assert read.settings == SETTINGS


def test_every_mistake_of_a_configuration_is_reported_with_its_place():
    assert config_findings({"currency": "eur", "months": 0, "mail": {"to": "nobody"}, "extra": 1}) == {
        "currency": "does not match ^[A-Z]{3}$",
        "months": "0 is less than the minimum of 1",
        "mail.to": "'nobody' is not a 'email'",
        "": "Additional properties are not allowed ('extra' was unexpected)",
    }


def test_an_extension_without_settings_takes_no_configuration():
    check_config(manifest(None).settings, {})
    assert config_findings({"a": 1}, None) == {"a": "is not known: the extension has no settings"}


def test_a_configuration_over_the_bound_is_refused():
    assert "at most 32,768" in config_findings({"a": "x" * MAX_CONFIG_BYTES}, {"type": "object"})[""]


@pytest.mark.parametrize("value", [float("nan"), object(), b"x"])
def test_a_configuration_is_json(value):
    assert config_findings({"a": value}, {"type": "object"})


def test_a_long_value_is_not_repeated_in_the_answer():
    assert config_findings({"months": "x" * 5_000}) == {"months": "does not satisfy 'type'"}


@pytest.mark.parametrize("settings", [True, [], "object", {"type": "string"}, {}, {"type": ["object", "null"]}])
def test_settings_describe_an_object(settings):
    assert settings_findings(settings)


@pytest.mark.parametrize(
    "keyword",
    ["$ref", "$dynamicRef", "$id", "$anchor", "$dynamicAnchor", "$defs", "patternProperties", "unevaluatedProperties"],
)
def test_settings_refer_to_nothing(keyword):
    value = {} if keyword in {"$defs", "patternProperties", "unevaluatedProperties"} else "elsewhere"
    found = settings_findings(objects(a={"anyOf": [{keyword: value}]}))
    assert "not allowed in settings" in found[f"settings.properties.a.anyOf[0].{keyword}"]


def test_a_setting_may_have_the_name_of_a_keyword():
    read = manifest(objects(**{"$ref": {"type": "string"}, "pattern": {"type": "string"}}))
    check_config(read.settings, {"$ref": "x", "pattern": "(?="})


def test_settings_are_of_one_draft():
    assert "settings.$schema" in settings_findings(
        {"$schema": "http://json-schema.org/draft-07/schema#", "type": "object"}
    )


def test_settings_over_the_bound_are_refused():
    found = settings_findings(objects(a={"type": "string", "description": "x" * 20_000}))
    assert found == {"settings": "must have at most 16,384 bytes"}


@pytest.mark.parametrize("pattern", ["(?=a)", "(?<!a)b", r"(a)\1", "(", "[z-a]", "a{1000}{1000}{1000}", "x" * 513])
def test_a_pattern_without_a_linear_engine_is_refused(pattern):
    assert list(settings_findings(objects(a={"pattern": pattern}))) == ["settings.properties.a.pattern"]


@pytest.mark.parametrize("pattern", ["^(a+)+$", "^(a|a)*$", "^(.*)*x$", "(.*.*.*.*.*)*=$"])
def test_a_pattern_cannot_be_made_to_backtrack(pattern):
    # With a backtracking engine none of these would end within the time of a test run.
    found = config_findings({"a": "a" * 20_000 + "!"}, objects(a={"type": "string", "pattern": pattern}))
    assert found == {"a": f"does not match {pattern}"}


def test_patterns_of_property_names_run_on_the_same_engine():
    schema = {"type": "object", "propertyNames": {"pattern": "^(a+)+$"}}
    assert config_findings({"a" * 20_000 + "!": 1}, schema)


def test_unique_items_are_found_without_comparing_all_pairs():
    values = [value for number in range(3_000) for value in (number, str(number))]
    schema = objects(a={"type": "array", "uniqueItems": True})
    check_config(manifest(schema).settings, {"a": values[:2_000]})
    assert config_findings({"a": [*values[:2_000], 5]}, schema) == {"a": "holds a value twice"}


def test_a_default_is_a_valid_value():
    found = settings_findings(objects(a={"type": "integer", "default": "x"}, b={"pattern": "^x$", "default": "y"}))
    assert found == {
        "settings.properties.a.default": "'x' is not of type 'integer'",
        "settings.properties.b.default": "does not match ^x$",
    }
