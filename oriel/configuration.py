"""A tenant's configuration as the guest gets it, by the `settings` schema of the version's manifest.

The schema was checked when the version was published, and the configuration against it when the tenant set it
(`oriel.manifest.config`); nothing is checked here.
"""

import json
from collections.abc import Mapping
from typing import Any


def completed(schema: Mapping[str, Any], value: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration with the schema's defaults where it says nothing, at any depth."""
    whole = dict(value)
    for key, member in schema.get("properties", {}).items():
        if not isinstance(member, Mapping):
            continue
        if key not in whole and "default" in member:
            whole[key] = member["default"]
        if isinstance(whole.get(key), Mapping):
            whole[key] = completed(member, whole[key])
    return whole


def as_strings(schema: Mapping[str, Any] | None, configuration: Mapping[str, Any]) -> dict[str, str]:
    """The configuration with defaults filled in; text as it is, anything else as compact JSON."""
    whole = completed(schema or {}, configuration)
    return {key: value if isinstance(value, str) else _compact(value) for key, value in whole.items()}


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
