"""Versions in order, and ranges of them.

| range | means |
|---|---|
| `^1.2.3` | at least 1.2.3, and what does not break it: below 2.0.0 (`^0.2.3`: below 0.3.0; `^0.0.3`: below 0.0.4) |
| `~1.2.3` | at least 1.2.3, below 1.3.0; `~1` is below 2.0.0 |
| `1.2`, `1.2.x`, `1.2.*` | every 1.2 |
| `>=1.2.0 <1.5.0` | all of these at once; also `>`, `<=` and `=` |
| `*` | every version |

Rules kept here:

- Versions are ordered as Semantic Versioning 2.0.0 says (section 11). Build metadata does not count; of two versions
  that differ in it alone, the caller decides.
- `^1.2` and `~1.2` are as `^1.2.0` and `~1.2.0`.
- A pre-release is in a range only where the range names a pre-release of the same three numbers.
- A full version, `1.2.3`, is no range but a version: an install of it is pinned.
"""

import re
from typing import Self

import semver
from msgspec import Struct

MAX_RANGE = 100
_PART = re.compile(r"(\^|~|>=|<=|>|<|=)?(.+)")
_PARTIAL = re.compile(r"(0|[1-9]\d*)(?:\.(0|[1-9]\d*))?(?:\.[x*])?|(0|[1-9]\d*)\.[x*]\.[x*]")


def precedence(version: str) -> semver.Version:
    """The key to sort versions by."""
    return semver.Version.parse(version)


def is_prerelease(version: str) -> bool:
    return semver.Version.parse(version).prerelease is not None


class _Bound(Struct, frozen=True):
    """One side of a range."""

    version: semver.Version
    lower: bool
    included: bool

    def allows(self, version: semver.Version) -> bool:
        order = version.compare(self.version)
        return (self.included and order == 0) or (order > 0 if self.lower else order < 0)


class VersionRange(Struct, frozen=True):
    """A range; get one from `parse`."""

    text: str
    bounds: tuple[_Bound, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a range.

        Raises:
            ValueError: with the end of a sentence that starts with the range.
        """
        parts = text.split()
        if not parts or len(text) > MAX_RANGE:
            raise ValueError("is not a range of versions; write it as ^1.2.0, ~1.2.0, 1.x or >=1.2.0 <2.0.0")
        return cls(" ".join(parts), tuple(bound for part in parts for bound in _bounds(part)))

    def __contains__(self, version: str) -> bool:
        candidate = semver.Version.parse(version)
        if candidate.prerelease is not None and not self._names_prerelease_of(candidate):
            return False
        return all(bound.allows(candidate) for bound in self.bounds)

    def _names_prerelease_of(self, candidate: semver.Version) -> bool:
        return any(
            bound.version.prerelease is not None and _numbers(bound.version) == _numbers(candidate)
            for bound in self.bounds
            if bound.lower or bound.included
        )


def is_version(text: str) -> bool:
    """Whether it is one version, not a range of them."""
    return semver.Version.is_valid(text)


def well_formed(text: str) -> str:
    """A version as Semantic Versioning 2.0.0 writes it; `ValueError` with the end of a sentence that starts with it."""
    if not is_version(text):
        raise ValueError("is not a semantic version; write it as 1.2.0 or 1.2.0-beta.1")
    return text


def _bounds(part: str) -> tuple[_Bound, ...]:
    if part in {"*", "x"}:
        return ()
    matched = _PART.fullmatch(part)
    operator, text = matched.groups() if matched else (None, part)
    numbers, first = _read(text, part)
    least = _Bound(first, lower=True, included=True)
    if operator in {">", ">=", "<", "<="}:
        return (_Bound(first, lower=operator[0] == ">", included=len(operator) == 2),)
    if operator == "=" or (operator is None and numbers == 3):
        return least, _Bound(first, lower=False, included=True)
    return least, _Bound(_end(operator, numbers, first), lower=False, included=False)


def _read(text: str, part: str) -> tuple[int, semver.Version]:
    """How many numbers are given, and the first version that is meant."""
    if semver.Version.is_valid(text):
        return 3, semver.Version.parse(text)
    matched = _PARTIAL.fullmatch(text)
    if matched is None:
        raise ValueError(f"has {part!r}, which is no version and no part of one; write it as ^1.2.0 or 1.x")
    major, minor = matched.group(1) or matched.group(3), matched.group(2)
    return 1 if minor is None else 2, semver.Version(int(major), int(minor or 0), 0)


def _end(operator: str | None, numbers: int, first: semver.Version) -> semver.Version:
    """The first version after the range. Its pre-releases are not in the range either."""
    if operator == "^" and first.major == 0 and numbers > 1:
        return (
            semver.Version(0, first.minor + 1) if first.minor or numbers == 2 else semver.Version(0, 0, first.patch + 1)
        )
    if operator == "^" or numbers == 1:
        return semver.Version(first.major + 1)
    return semver.Version(first.major, first.minor + 1)


def _numbers(version: semver.Version) -> tuple[int, int, int]:
    return version.major, version.minor, version.patch
