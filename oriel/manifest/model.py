"""The manifest, version 2: `manifest.json` of a bundle.

Rules kept here:

- One model. The published JSON Schema is generated from it; what no schema can say is in `rules` and `config`.
- Strict to read: bounded bytes and depth, no duplicate keys, no unknown keys. Every mistake is reported, all at once,
  each with its place.
- `to_json` is canonical: it parses to an equal manifest, and equal manifests have equal JSON. Every field is there
  with its default, capabilities in their long form; only what has no value is left out.
"""

import functools
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, ValidationError

from oriel import strict_json, versions
from oriel.errors import Finding, InvalidInput
from oriel.manifest import config, parts, values
from oriel.manifest.findings import bounded, from_validation
from oriel.manifest.parts import Api, CapabilityItem, CapabilityRequest, EventHandler, LimitsRequest, Part, Schedule, Ui
from oriel.manifest.rules import cross_findings
from oriel.names import MAX_NAME, REVERSE_DOMAIN

MAX_MANIFEST_BYTES = 256 * 1024
SCHEMA_ID = "https://oriel.dev/schemas/manifest-2.json"

Name = Annotated[str, StringConstraints(pattern=REVERSE_DOMAIN, max_length=MAX_NAME)]
PATTERN_MEANINGS = {
    REVERSE_DOMAIN: "must be a reverse domain name in lower case, as in com.acme.reports",
    **parts.PATTERN_MEANINGS,
}


class Manifest(Part):
    """What an extension is, what it answers, and what it asks for. Get one from `parse`."""

    manifest_version: Literal[2]
    name: Name
    """The extension's id: the publisher's name, or one below it."""
    publisher: Name
    version: Annotated[str, StringConstraints(max_length=64), AfterValidator(versions.well_formed)]
    """Semantic Versioning 2.0.0. A version is published once."""
    title: parts.Label
    description: Annotated[str, *parts.line(500, 0)] = ""
    runtime: Literal["wasm-js@1", "wasm-py@1", "wasi-js@1", "wasm@1"]
    """What the component was built from. `wasi-js@1` is a component of the standard world `wasi:http/proxy`, the others
    are of `oriel:extension@1`; a `wasm@1`, which its author built, is either."""
    capabilities: Annotated[tuple[CapabilityItem, ...], Field(max_length=50)] = ()
    ui: Ui | None = None
    api: Api = Api()
    events: Annotated[tuple[EventHandler, ...], Field(max_length=100)] = ()
    schedules: Annotated[tuple[Schedule, ...], Field(max_length=50)] = ()
    assets: Annotated[
        tuple[Annotated[str, StringConstraints(max_length=200), AfterValidator(values.asset_glob)], ...],
        Field(max_length=50),
    ] = ("ui/**",)
    """Which files under `ui/` are packed: `*` within a segment, `**` for any number of them."""
    sbom: Literal["sbom.spdx.json"] | None = None
    """The software bill of materials, packed where it is named here."""
    settings: dict[str, Any] | None = None
    """A JSON Schema (draft 2020-12, without references) of the tenant's configuration, an object."""
    limits: LimitsRequest = LimitsRequest()

    @classmethod
    def parse(cls, data: bytes | str | Mapping[str, Any]) -> Self:
        """Read a manifest.

        Args:
            data: JSON text (bytes are UTF-8), or the object that it stands for.

        Raises:
            InvalidInput: `invalid_manifest`, with every mistake and its place.
        """
        document = _read(data)
        findings = [*cross_findings(document), *config.schema_findings(document.get("settings"))]
        try:
            manifest = cls.model_validate(document)
        except ValidationError as error:
            findings = from_validation(error, manifest_schema(), PATTERN_MEANINGS) + findings
        if findings:
            raise _invalid(*bounded(findings))
        return manifest

    def to_json(self) -> dict[str, Any]:
        """The canonical JSON object."""
        return self.model_dump(mode="json", exclude_none=True)

    @property
    def asked(self) -> Mapping[str, CapabilityRequest]:
        """What is asked for, by the capability's name, in the manifest's order."""
        return {request.name: request for request in self.capabilities}

    def capability(self, name: str) -> CapabilityRequest | None:
        """The request for a capability, if there is one. `name` is canonical, `storage.kv`."""
        return self.asked.get(name)


@functools.cache
def manifest_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of `manifest.json`, for editors and other tools."""
    generated = Manifest.model_json_schema(mode="validation")
    members = {"$schema": {"type": "string"}, **generated["properties"]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        **generated,
        "title": "Oriel extension manifest, version 2",
        "properties": members,
    }


def _read(data: bytes | str | Mapping[str, Any]) -> dict[str, Any]:
    try:
        text = json.dumps(dict(data)) if isinstance(data, Mapping) else data
        document = strict_json.loads(text, max_bytes=MAX_MANIFEST_BYTES)
    except strict_json.JsonError as error:
        raise _invalid(Finding("", f"manifest.json is not valid JSON: {error}")) from None
    if not isinstance(document, dict):
        raise _invalid(Finding("", "manifest.json must hold an object"))
    document.pop("$schema", None)
    return document


def _invalid(*findings: Finding) -> InvalidInput:
    return InvalidInput("invalid_manifest", findings, subject="The manifest")
