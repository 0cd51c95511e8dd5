"""Ids that sort by time: a prefix that says what it is, and a UUIDv7 in hex (RFC 9562, section 5.7)."""

import uuid_utils


def new_id(prefix: str) -> str:
    """For example `ins_0192f0c1a2b37c4d8e9fa0b1c2d3e4f5`."""
    return f"{prefix}_{uuid_utils.uuid7().hex}"


def first_id(prefix: str, at_ms: int) -> str:
    """What sorts before every id of the kind that is minted at `at_ms` (Unix milliseconds) or later."""
    return f"{prefix}_{max(0, at_ms):012x}"
