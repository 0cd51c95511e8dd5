"""A fixture run again, offline: the same request into a component, with the answers that were recorded.

Rules kept here:

- Everything but the component is as it was: request, limits, grants, host calls, clock, random numbers. Nothing is
  reached: no store, no network, no key.
- The component may be another version's. The first host call, or the first part of the outcome, that is not as it was
  recorded is the difference, and the run ends there.
"""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from oriel.contract import ExecuteRequest, Receipt, SealedSecret
from oriel.fixture import REDACTED, Fixture, Outcome
from oriel.provenance import BundleIndex
from runner.assembly import standard
from runner.components import Components
from runner.core import Runner
from runner.execution import Services
from runner.host.table import host_functions
from runner.pool import Share
from runner.recording import outcome_of
from runner.redaction import Redactor
from runner.sandbox import Sandbox
from runner.tape import Difference, Player


class Replay(Struct, frozen=True):
    """What came of it: the first difference, or none, and what the run used."""

    difference: Difference | None
    outcome: Outcome
    receipt: Receipt


class Replayer:
    """Runs fixtures against one component. Close it.

    Args:
        artifact: the component compiled for this process's engine, by whoever replays: it is native code.
    """

    def __init__(self, artifact: Path) -> None:
        sandbox = Sandbox(host_functions(), standard=standard)
        self._source = _One(artifact)
        components = Components(self._source, sandbox.load, max_bytes=0)
        self._runner = Runner(sandbox, components, Services(), share=Share.of(1))

    def run(self, fixture: Fixture) -> Replay:
        """Run it once."""
        self._source.fixture = fixture
        player = Player(fixture)
        response = self._runner.execute(_request(fixture), tape=player)
        player.finish()
        outcome = outcome_of(response, Redactor([REDACTED]).clean)
        difference = player.difference or next(_differences(fixture.outcome, outcome), None)
        return Replay(difference, outcome, response.receipt)

    def close(self) -> None:
        self._runner.close()


class _One:
    """One artifact, whatever bundle is asked for."""

    fixture: Fixture

    def __init__(self, path: Path) -> None:
        self._path = path

    def path_for(self, content_hash: str) -> tuple[Path, BundleIndex]:
        context = self.fixture.context
        index = BundleIndex(
            content_hash=content_hash,
            extension_id=context.extension_id,
            version=context.version,
            publisher="",
            signer_key_id="",
            component_digest=content_hash,
        )
        return self._path, index


def _request(fixture: Fixture) -> ExecuteRequest:
    """The request as it was; its secrets have names and no values."""
    return ExecuteRequest(
        context=fixture.context,
        http=fixture.http,
        limits=replace(fixture.limits, fuel=None),  # another machine may count none
        providers=frozenset(fixture.providers),
        egress=fixture.egress,
        secrets=tuple(
            SealedSecret(secret.name, "", "", "", secret.hosts, secret.reference_only) for secret in fixture.secrets
        ),
        user=fixture.user,
        operations=fixture.operations,
    )


def _differences(recorded: Outcome, replayed: Outcome) -> Iterator[Difference]:
    """What is not the same of an outcome, the most telling first."""
    pairs: tuple[tuple[str, Any, Any], ...] = (
        ("the error", recorded.error, replayed.error),
        ("the status", recorded.status, replayed.status),
        ("the headers", recorded.headers, replayed.headers),
        ("the body", base64.b64decode(recorded.body_b64), base64.b64decode(replayed.body_b64)),
        ("the log", recorded.logs, replayed.logs),
    )
    for what, was, is_now in pairs:
        if was != is_now:
            yield Difference(None, what, was, is_now)
