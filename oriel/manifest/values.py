"""The values of single fields: cron expressions, time zones, paths in the bundle.

Every check is a function from text to text, the normalised form; it raises `ValueError` with the end of a sentence
that starts with the field.
"""

import functools
import re
import zoneinfo

_CRON_FIELDS = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")),
    ("day of the week", 0, 7, ("sun", "mon", "tue", "wed", "thu", "fri", "sat")),
)
_CRON_PART = re.compile(r"(?:\*|([0-9a-z]{1,3})(?:-([0-9a-z]{1,3}))?)(?:/([0-9]{1,2}))?")
_FILE = re.compile(r"[A-Za-z0-9._@+~()\[\]!$,=-]+")
_WILD_FILE = re.compile(r"[A-Za-z0-9._@+~()!$,=*?-]+")


def cron(text: str) -> str:
    """Five fields of a cron expression. Whether it ever fires, and how often, is the scheduler's to simulate."""
    parts = text.split()
    if len(parts) != len(_CRON_FIELDS):
        raise ValueError("must have five fields: minute, hour, day of the month, month, day of the week")
    for part, (name, low, high, names) in zip(parts, _CRON_FIELDS, strict=True):
        if not all(_cron_part(item.lower(), low, high, names) for item in part.split(",")):
            raise ValueError(f"has a {name} that is not *, {low}-{high}, a range, a step or a list of them")
    return " ".join(parts)


def _cron_part(item: str, low: int, high: int, names: tuple[str, ...]) -> bool:
    match = _CRON_PART.fullmatch(item)
    if match is None:
        return False
    first, last, step = match.groups()
    bounds = [_cron_number(bound, low, names) for bound in (first, last) if bound is not None]
    in_range = all(bound is not None and low <= bound <= high for bound in bounds)
    steps_fit = step is None or (1 <= int(step) <= high and (first is None or last is not None))
    return in_range and bounds == sorted(bounds, key=lambda bound: bound or 0) and steps_fit


def _cron_number(text: str, low: int, names: tuple[str, ...]) -> int | None:
    if text in names:
        return names.index(text) + low
    return int(text) if text.isdigit() else None


@functools.cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def timezone(text: str) -> str:
    """A zone of the IANA database."""
    if text not in _zones():
        raise ValueError("is not a time zone of the IANA database; write it as Europe/Berlin or UTC")
    return text


def bundle_file(path: str) -> str:
    """The path of a file in the bundle: plain ASCII segments, none of them hidden."""
    return _checked(path, _FILE, "letters, digits and ._@+~()[]!$,=-")


def asset_glob(glob: str) -> str:
    """A pattern of files under `ui/`: `*` and `?` within a segment, `**` once for any number of segments."""
    if not glob.startswith("ui/"):
        raise ValueError("must lie under ui/, as in ui/**")
    if glob.split("/").count("**") > 1:
        raise ValueError("may hold '**' once")
    return _checked(glob, _WILD_FILE, "letters, digits, *, ? and ._@+~()!$,=-")


def _checked(path: str, allowed: re.Pattern[str], named: str) -> str:
    for segment in path.split("/"):
        if not segment or segment.startswith("."):
            raise ValueError("must be a relative path without empty or hidden segments, '.' or '..'")
        if not allowed.fullmatch(segment):
            raise ValueError(f"may hold only {named} between its slashes")
    return path
