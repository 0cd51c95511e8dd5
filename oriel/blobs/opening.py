"""The blob store that a URL names. A backend's library is loaded by those who use it."""

from collections.abc import Callable, Mapping
from pathlib import Path

from oriel.aws.target import Target
from oriel.blobs.base import Blobs, BlobSource
from oriel.blobs.files import FileBlobs
from oriel.errors import Finding, InvalidInput

SETTING = "ORIEL_BLOBS"


def open_blobs(url: str) -> Blobs:
    """Open the blobs at `url`. A folder is made where there is none, a bucket is not.

    Raises:
        InvalidInput: `invalid_input`, where no backend has this scheme.
        BlobsUnavailable: the backend does not answer.
    """
    scheme, _, rest = url.partition(":")
    form, opener = _BACKENDS.get(scheme, ("", None))
    if opener is None or not rest:
        forms = " or ".join(form for form, _ in _BACKENDS.values())
        finding = Finding(SETTING, f"{url!r} is not a blob store; give {form or forms}.")
        raise InvalidInput("invalid_input", [finding], subject="The environment")
    return opener(rest)


def open_source(url: str) -> BlobSource:
    """Open the blobs at `url` for reading alone, with as little as that needs.

    Raises:
        InvalidInput: `invalid_input`, where no backend has this scheme.
    """
    scheme, _, rest = url.partition(":")
    if scheme != "s3" or not rest:
        return open_blobs(url)
    from oriel.blobs.s3_source import S3Source

    return S3Source(Target.parse(rest, setting=SETTING, form=_BACKENDS["s3"][0]))


def open_split(url: str, ui_url: str) -> Blobs:
    """The blobs at `url`, with the extensions' UIs at `ui_url` where that is given. Opened when they are used."""
    from oriel.blobs.split import SplitBlobs

    return SplitBlobs(lambda: open_blobs(ui_url or url), lambda: open_blobs(url))


def _file(rest: str) -> Blobs:
    return FileBlobs(Path(rest))


def _s3(rest: str) -> Blobs:
    from oriel.blobs.s3 import S3Blobs

    return S3Blobs.at(Target.parse(rest, setting=SETTING, form=_BACKENDS["s3"][0]))


_BACKENDS: Mapping[str, tuple[str, Callable[[str], Blobs]]] = {
    "file": ("file:DIR", _file),
    "s3": ("s3:BUCKET[/PREFIX][?region=…&endpoint=…]", _s3),
}
