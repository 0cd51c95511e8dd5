"""Schedules: when the extension's own endpoints are called. Needs `schedule.manage`.

    schedule.put("digest", cron="0 8 * * mon-fri", timezone="Europe/Berlin", path="/digest")

A schedule of the same name is changed. Those of the manifest and of the tenant's administrator can be seen, and not
changed.
"""

import json as jsonlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from oriel_guest import _host
from oriel_guest.messages import dumps

_wit = _host.interface("schedule", "schedule.manage")

Missed = Literal["once", "skip"]


@dataclass(frozen=True)
class Schedule:
    """A schedule as it stands. `next_runs` are the next five times, Unix time in milliseconds; none while it is off."""

    id: str
    name: str
    cron: str
    timezone: str
    method: str
    path: str
    payload: dict[str, Any] | None
    enabled: bool
    missed: Missed
    overlap: bool
    foreign: bool
    next_runs: tuple[int, ...]


def put(
    name: str,
    *,
    cron: str,
    path: str,
    method: str = "POST",
    timezone: str = "UTC",
    payload: Mapping[str, Any] | None = None,
    enabled: bool = True,
    missed: Missed = "once",
    overlap: bool = False,
) -> Schedule:
    """Make a schedule, or change the one of that name.

    Raises:
        Denied, Invalid, LimitExceeded, Unavailable: and `Conflict`, where the name is somebody else's.
    """
    sent = None if payload is None else dumps(dict(payload))
    policy = _wit.Missed[missed.upper()]
    definition = _wit.Definition(name, cron, timezone, method, path, sent, enabled, policy, overlap)
    return _schedule(_host.call(_wit.put, definition))


def delete(name: str) -> bool:
    """Whether there was one."""
    return bool(_host.call(_wit.delete, name))


def all_() -> list[Schedule]:
    """Every schedule of the install, by name."""
    return [_schedule(info) for info in _host.call(_wit.list)]


def _schedule(info: Any) -> Schedule:
    definition = info.definition
    return Schedule(
        id=info.id,
        name=definition.name,
        cron=definition.cron,
        timezone=definition.timezone,
        method=definition.method,
        path=definition.path,
        payload=None if definition.payload is None else jsonlib.loads(definition.payload),
        enabled=definition.enabled,
        missed="once" if definition.missed == _wit.Missed.ONCE else "skip",
        overlap=definition.overlap,
        foreign=info.foreign,
        next_runs=tuple(info.next_runs),
    )
