"""Versions in order, and ranges of them."""

from itertools import pairwise

import pytest

from oriel.versions import VersionRange, is_version, precedence

# Semantic Versioning 2.0.0, section 11, and numbers that text would order otherwise
ORDERED = [
    "0.9.0",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "1.2.0",
    "1.10.0",
    "2.0.0",
]


def test_versions_are_in_the_order_of_semantic_versioning():
    assert all(precedence(lower) < precedence(higher) for lower, higher in pairwise(ORDERED))
    assert precedence("1.0.0+one").compare(precedence("1.0.0+two")) == 0


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("^1.2.3", "1.2.3 1.2.4 1.9.0", "1.2.2 2.0.0 2.0.0-rc.1 1.3.0-rc.1 0.9.0"),
        ("^1.2", "1.2.0 1.3.0", "1.1.9 2.0.0"),
        ("^1", "1.0.0 1.9.9", "0.9.9 2.0.0"),
        ("^0.2.3", "0.2.3 0.2.9", "0.3.0 0.2.2 1.0.0"),
        ("^0.0.3", "0.0.3", "0.0.4 0.1.0"),
        ("^0.0", "0.0.0 0.0.9", "0.1.0"),
        ("^0", "0.0.1 0.9.9", "1.0.0"),
        ("~1.2.3", "1.2.3 1.2.9", "1.3.0 1.2.2"),
        ("~1.2", "1.2.0 1.2.9", "1.3.0"),
        ("~1", "1.0.0 1.9.0", "2.0.0"),
        ("1.x", "1.0.0 1.9.0", "2.0.0 0.9.0"),
        ("1", "1.0.0 1.9.0", "2.0.0"),
        ("1.2.*", "1.2.0 1.2.9", "1.3.0"),
        ("1.2", "1.2.0 1.2.9", "1.3.0"),
        (">=1.2.0 <1.5.0", "1.2.0 1.4.9", "1.5.0 1.1.0 1.5.0-rc.1"),
        (">1.2.0 <=1.5.0", "1.2.1 1.5.0", "1.2.0 1.5.1"),
        ("*", "0.0.1 9.9.9", "1.0.0-rc.1"),
        ("^1.3.0-rc.1", "1.3.0-rc.1 1.3.0-rc.2 1.3.0 1.4.0", "1.3.0-beta 1.4.0-rc.1 2.0.0-rc.1"),
        ("=1.2.3", "1.2.3 1.2.3+build", "1.2.4"),
    ],
)
def test_a_range_holds_what_it_says(text, inside, outside):
    held = VersionRange.parse(text)
    assert [version for version in inside.split() if version not in held] == []
    assert [version for version in outside.split() if version in held] == []


@pytest.mark.parametrize(
    "text", ["", " ", "latest", "^", "1.2.3.4", ">=", "^1.2.3 || ^2", "1.2.3 - 2.0.0", "^01.2.3", "v1.2.3", "^1." * 50]
)
def test_what_is_no_range_is_refused(text):
    with pytest.raises(ValueError, match=r"range|version"):
        VersionRange.parse(text)


def test_one_version_is_no_range():
    assert [is_version(text) for text in ("1.2.3", "1.2.3-rc.1", "^1.2.3", "1.2", "*")] == [True, True] + [False] * 3
