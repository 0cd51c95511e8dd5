"""The manifest: what an extension is, what it answers, and what it asks for. `docs/reference/manifest.md` explains it.

model     the fields, one pydantic model; the published JSON Schema is generated from it
rules     what two fields say of each other
config    the `settings` schema, and a tenant's configuration held against it
findings  every mistake as a place and a sentence
"""

from typing import TYPE_CHECKING

from oriel.lazy import exports

if TYPE_CHECKING:
    from oriel.manifest.model import MAX_MANIFEST_BYTES, Manifest, manifest_schema
    from oriel.manifest.parts import (
        CapabilityRequest,
        Endpoint,
        EventHandler,
        Hook,
        LimitsRequest,
        Method,
        Schedule,
        Ui,
    )

__all__ = [
    "MAX_MANIFEST_BYTES",
    "CapabilityRequest",
    "Endpoint",
    "EventHandler",
    "Hook",
    "LimitsRequest",
    "Manifest",
    "Method",
    "Schedule",
    "Ui",
    "manifest_schema",
]

__getattr__ = exports(
    __name__,
    {
        "model": "MAX_MANIFEST_BYTES Manifest manifest_schema",
        "parts": "CapabilityRequest Endpoint EventHandler Hook LimitsRequest Method Schedule Ui",
    },
)
