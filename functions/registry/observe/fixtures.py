"""Executions kept whole, opened for those who may see them."""

import zstandard

from oriel.errors import OrielError
from oriel.fixture import MAX_FIXTURE_BYTES, Fixture, sealed_name
from oriel.sealing import Sealed
from registry.core import Registry


def opened(registry: Registry, tenant_id: str, execution_id: str) -> bytes:
    """The fixture's file.

    Raises:
        OrielError: `not_found`, where none was kept or its time is over; `unavailable`, where it cannot be opened.
    """
    entry = registry.store.get_execution(tenant_id, execution_id)
    found = entry and registry.store.get_fixture(tenant_id, entry.install_id, execution_id)
    if not found:
        raise OrielError(
            "not_found",
            f"Nothing is kept of {execution_id} but its log entry.",
            hint="Ask for it with the call: oriel call --record.",
        )
    sealed = Sealed(found.key_id, found.nonce, found.ciphertext)
    packed = registry.sealer.open(tenant_id, found.install_id, sealed_name(execution_id), sealed)
    data = zstandard.ZstdDecompressor().decompress(packed, max_output_size=MAX_FIXTURE_BYTES)
    return Fixture.from_json(data).to_file()
