"""The manifest: what an extension is, what it answers, and what it asks for. `docs/reference/manifest.md` explains it.

model     the fields, one pydantic model; the published JSON Schema is generated from it
rules     what two fields say of each other
config    the `settings` schema, and a tenant's configuration held against it
findings  every mistake as a place and a sentence
"""

from oriel.manifest.model import (
    MAX_MANIFEST_BYTES,
    RUNTIMES,
    CapabilityRequest,
    Endpoint,
    EventHandler,
    Hook,
    LimitsRequest,
    Manifest,
    Schedule,
    Ui,
    manifest_schema,
)

__all__ = [
    "MAX_MANIFEST_BYTES",
    "RUNTIMES",
    "CapabilityRequest",
    "Endpoint",
    "EventHandler",
    "Hook",
    "LimitsRequest",
    "Manifest",
    "Schedule",
    "Ui",
    "manifest_schema",
]
