import pytest

from oriel import strict_json
from oriel.strict_json import JsonError


def load(text, **bounds):
    return strict_json.loads(text, **{"max_bytes": 10_000, **bounds})


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"a": 1, "a": 2}', "'a' stands twice"),
        ('{"a": {"b": 1, "\\u0062": 2}}', "'b' stands twice"),
        ("[NaN]", "NaN"),
        ("[-Infinity]", "-Infinity"),
        ("[1e999]", "too large"),
        ("[" + "9" * 5_000 + "]", "too large"),
        ('["\\ud800"]', "surrogate"),
        ('{"\\udc00": 1}', "surrogate"),
        ("\ufeff{}", "byte order mark"),
        (b"\xff", "UTF-8"),
        ('"\ud800"', "UTF-8"),
        ("[1,]", "line 1"),
        ("{} {}", "Extra data"),
        ("", "line 1"),
        ("'a'", "line 1"),
        ("[" * 33 + "]" * 33, "deeper than 32"),
        ('{"a":' * 5_000 + "1" + "}" * 5_000, "bytes"),
    ],
)
def test_a_text_with_two_meanings_or_none_is_refused(text, why):
    with pytest.raises(JsonError, match=why):
        load(text)


def test_a_text_that_nests_beyond_the_parser_is_refused_like_any_other():
    with pytest.raises(JsonError, match="deeper"):
        load("[" * 400_000, max_bytes=1_000_000)


def test_a_text_over_the_bound_is_not_parsed():
    with pytest.raises(JsonError, match="13 bytes; at most 10"):
        load('"éééé"  !', max_bytes=10)


def test_the_depth_bound_itself_is_allowed():
    assert load("[" * 32 + "]" * 32)


def test_equal_values_give_equal_bytes():
    assert strict_json.dumps({"b": 1, "a": "é"}) == strict_json.dumps({"a": "é", "b": 1}) == '{"a":"é","b":1}'.encode()
