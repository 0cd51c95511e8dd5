"""Immutable bytes behind one Protocol."""

from oriel.blobs.base import BlobInfo, BlobMismatch, BlobMissing, Blobs, BlobTooLarge

__all__ = ["BlobInfo", "BlobMismatch", "BlobMissing", "BlobTooLarge", "Blobs"]
