"""The digest of native code: BLAKE3, which reads forty megabytes in the time that SHA-256 takes for four.

Everything that people and other tools handle has a SHA-256. Native code is the platform's alone, larger than all else,
and hashed while somebody waits: whenever a process first maps it.
"""

from pathlib import Path

from blake3 import blake3

PREFIX = "blake3:"


class CodeHash:
    """The digest of code that comes in pieces."""

    def __init__(self) -> None:
        self._hash = blake3()

    def update(self, piece: bytes | memoryview) -> None:
        self._hash.update(piece)

    def digest(self) -> str:
        return PREFIX + self._hash.hexdigest()


def digest_of(code: bytes) -> str:
    return PREFIX + blake3(code).hexdigest()


def digest_of_file(path: Path) -> str:
    """Read by mapping it, as the engine will map it next. `FileNotFoundError`."""
    return PREFIX + blake3().update_mmap(path).hexdigest()
