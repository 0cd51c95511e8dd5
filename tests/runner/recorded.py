"""Fixtures as the runner seals them, opened again."""

import base64

import zstandard

from oriel.contract import ExecuteResponse, ExecutionContext
from oriel.fixture import Fixture, sealed_name
from oriel.sealing import Sealed, Sealer


def opened(sealer: Sealer, response: ExecuteResponse, context: ExecutionContext) -> Fixture | None:
    """What was kept of an execution, through the file that an author gets of it; None where nothing was."""
    kept = response.recording and response.recording.fixture
    if not kept:
        return None
    sealed = Sealed(kept.key_id, base64.b64decode(kept.nonce_b64), base64.b64decode(kept.ciphertext_b64))
    packed = sealer.open(context.tenant_id, context.install_id, sealed_name(context.execution_id), sealed)
    plain = zstandard.ZstdDecompressor().decompress(packed, max_output_size=10**7)
    return Fixture.parse(Fixture.parse(plain).to_file())
