"""What differs between two versions, as an administrator looks at it before an upgrade.

Rules kept here:

- Everything that a version can be given is compared: capabilities with their hosts and operations, endpoints and who
  may call them, settings, events, schedules, the signer, the size.
- What the newer asks for beyond the older needs consent (`more`); what it no longer asks for needs none.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from oriel import hosts
from oriel.published import CapabilityRequest, Published
from oriel.store.records import Version
from registry.catalogue import asks

Json = dict[str, Any]


def differences(before: Version, after: Version, sizes: tuple[int, int]) -> Json:
    """The whole comparison as a JSON object.

    Args:
        sizes: of the two bundles, in bytes.
    """
    old, new = Published.read(before.manifest), Published.read(after.manifest)
    return {
        "capabilities": _capabilities(old, new),
        "hosts": _sets(_all(old, "hosts"), _all(new, "hosts")),
        "operations": _sets(_all(old, "operations"), _all(new, "operations")),
        "endpoints": _changes(_endpoints(old), _endpoints(new)),
        "settings": _changes(_settings(old), _settings(new)),
        "events": _sets((event.topic for event in old.events), (event.topic for event in new.events)),
        "schedules": _changes(_schedules(old), _schedules(new)),
        "signer": {"before": before.signer_key_id, "after": after.signer_key_id},
        "size": {"before": sizes[0], "after": sizes[1]},
    }


def more(old: Published, new: Published) -> list[Json]:
    """What `new` asks for beyond `old`, as consent shows it: with the hosts, operations and topics that are new."""
    known, found = {ask["name"]: ask for ask in asks(old)}, []
    for ask in asks(new):
        before = known.get(ask["name"])
        if before is None:
            found.append(ask)
            continue
        fresh = {
            "hosts": [host for host in ask["hosts"] if not hosts.included(host, before["hosts"])],
            "operations": sorted(set(ask["operations"]) - set(before["operations"])),
            "topics": sorted(set(ask["topics"]) - set(before["topics"])),
        }
        if any(fresh.values()):
            found.append({**ask, **fresh})
    return found


def _capabilities(old: Published, new: Published) -> Json:
    names = ("name", "hosts", "operations", "topics")
    return {"more": more(old, new), "less": [{name: ask[name] for name in names} for ask in more(new, old)]}


def _all(manifest: Published, scope: str) -> Iterable[str]:
    requests: Iterable[CapabilityRequest] = manifest.capabilities
    return (name for request in requests for name in getattr(request, scope))


def _endpoints(manifest: Published) -> dict[str, Json]:
    return {
        f"{endpoint.method} {endpoint.path}": {"roles": list(endpoint.roles)} for endpoint in manifest.api.endpoints
    }


def _settings(manifest: Published) -> dict[str, Any]:
    properties: dict[str, Any] = (manifest.settings or {}).get("properties", {})
    return properties


def _schedules(manifest: Published) -> dict[str, Json]:
    return {plain.pop("name"): plain for plain in (schedule.to_plain() for schedule in manifest.schedules)}


def _sets(old: Iterable[str], new: Iterable[str]) -> Json:
    before, after = set(old), set(new)
    return {"added": sorted(after - before), "removed": sorted(before - after)}


def _changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Json:
    changed = [
        {"name": name, "before": old[name], "after": new[name]}
        for name in sorted(old.keys() & new.keys())
        if old[name] != new[name]
    ]
    return {**_sets(old, new), "changed": changed}
