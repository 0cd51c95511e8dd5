"""Immutable bytes behind one Protocol."""

from oriel.blobs.base import (
    BlobInfo,
    BlobMismatch,
    BlobMissing,
    Blobs,
    BlobsUnavailable,
    BlobTooLarge,
    Presigned,
)
from oriel.blobs.opening import open_blobs

__all__ = [
    "BlobInfo",
    "BlobMismatch",
    "BlobMissing",
    "BlobTooLarge",
    "Blobs",
    "BlobsUnavailable",
    "Presigned",
    "open_blobs",
]
