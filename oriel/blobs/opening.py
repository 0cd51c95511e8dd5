"""The blob store that a URL names."""

from pathlib import Path

from oriel.blobs.base import Blobs
from oriel.blobs.files import FileBlobs
from oriel.errors import Finding, InvalidInput

SCHEMES = "file:DIR"


def open_blobs(url: str) -> Blobs:
    """Open the blobs at `url` (`file:DIR`), and make the folder where there is none.

    Raises:
        InvalidInput: `invalid_input`, where no backend has this scheme.
        BlobsUnavailable: the backend does not answer.
    """
    scheme, _, rest = url.partition(":")
    if scheme != "file" or not rest:
        finding = Finding("ORIEL_BLOBS", f"{url!r} is not a blob store; give {SCHEMES}.")
        raise InvalidInput("invalid_input", [finding], subject="The environment")
    return FileBlobs(Path(rest))
