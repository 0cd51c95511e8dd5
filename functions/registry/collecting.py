"""The collector: blobs that no version refers to, and none that anything may still need.

Rules kept here:

- What a version refers to stays, whatever its status: an install may still need it, or go back to it. Versions are
  never deleted; so what is collected was deposited by a publication that did not come to its end.
- A deposit is left alone for a day, and its bundle's or component's name is claimed before it is deleted. A
  publisher claims the same names before it deposits, and before it writes its version: of the two, one waits.
- Under the claim it is asked once more whether there is a version now. A claim that is about to end deletes nothing.
- The platform's own statements go first: where they are there, all that they vouch for is.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from oriel.blobs import BlobInfo
from oriel.identity import Principal
from oriel.ids import new_id
from oriel.provenance import PREFIX
from oriel.store.records import Extension
from registry.auditing import PLATFORM, entry_for
from registry.core import Registry

DAY_MS = 24 * 3600 * 1000
MINUTE_MS = 60_000
CLAIM_MS = 5 * MINUTE_MS
PUBLISHER, COLLECTOR = "publisher", "collector"
SHOWN = 1_000


class Collection(Struct, frozen=True):
    """What was found, or deleted: blobs that nothing refers to. `keys` are the first of them."""

    examined: int
    blobs: int
    bytes: int
    dry_run: bool
    keys: tuple[str, ...]


class Collector:
    """Looks through the blobs of the whole platform."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._store, self._blobs, self._now = registry.store, registry.blobs, registry.now

    def collect(self, actor: Principal | str = PLATFORM, *, dry_run: bool) -> Collection:
        """Delete what nothing refers to; in a dry run, say what that would be."""
        examined, old = self._deposits()
        unused = {name: blobs for name, blobs in old.items() if not self._is_used(name)}
        if not dry_run:
            unused = {name: self._delete(name, blobs) for name, blobs in unused.items()}
        found = [blob for blobs in unused.values() for blob in blobs]
        keys = tuple(blob.key for blob in found[:SHOWN])
        collection = Collection(examined, len(found), sum(blob.size for blob in found), dry_run, keys)
        if found and not dry_run:
            told = replace(collection, keys=keys[:20])
            self._store.append_audit(entry_for(self._registry, actor, "blobs.collect", "blobs", after=told))
        return collection

    def collect_daily(self) -> None:
        """Once a day, whichever process comes first."""
        if self._store.claim("collection", new_id("col"), self._now() + DAY_MS):
            self.collect(dry_run=False)

    def _deposits(self) -> tuple[int, Mapping[str, list[BlobInfo]]]:
        """How many blobs there are, and those of bundles and components that are old, by the claim's name."""
        oldest, examined = self._now() - DAY_MS, 0
        deposits: defaultdict[str, list[BlobInfo]] = defaultdict(list)
        for prefix in ("bundles/", "ext-ui/", "artifacts/"):
            for blob in self._blobs.list(prefix):
                examined += 1
                deposits[_name(blob.key)].append(blob)
        return examined, {name: blobs for name, blobs in deposits.items() if all(_is_old(b, oldest) for b in blobs)}

    def _delete(self, name: str, blobs: list[BlobInfo]) -> list[BlobInfo]:
        """Under its claim; what was deleted."""
        until, deleted = self._now() + CLAIM_MS, []
        if not self._store.claim(name, COLLECTOR, until):
            return []
        if not self._is_used(name):
            for blob in sorted(blobs, key=_is_vouched_for):
                if self._now() > until - MINUTE_MS:
                    break
                self._blobs.delete(blob.key)
                deleted.append(blob)
        self._store.release(name, COLLECTOR)
        return deleted

    def _is_used(self, name: str) -> bool:
        kind, _, digest = name.partition(" ")
        if kind == "bundle":
            return self._store.get_bundle(digest) is not None
        return any(digest == used for used in self._components())

    def _components(self) -> Iterator[str]:
        """Of all versions, whatever their status."""
        for extension in self._extensions():
            for version in self._store.list_versions(extension.extension_id):
                yield version.component_digest

    def _extensions(self) -> Iterator[Extension]:
        cursor: str | None = None
        while True:
            page = self._store.list_extensions(cursor)
            yield from page.items
            if (cursor := page.cursor) is None:
                return


def claim_names(content_hash: str, component_digest: str) -> tuple[str, str]:
    """What a publisher claims before it deposits."""
    return f"bundle {content_hash}", f"component {component_digest}"


def _name(key: str) -> str:
    """`bundles/sha256/<hex>/…`, `ext-ui/<extension>/<hex>[.<encoding>]/…`, `artifacts/<fingerprint>/sha256/<hex>.…`"""
    parts = key.split("/")
    if parts[0] == "artifacts":
        return f"component {PREFIX}{parts[-1].partition('.')[0]}"
    return f"bundle {PREFIX}{parts[2].partition('.')[0]}"


def _is_vouched_for(blob: BlobInfo) -> bool:
    return not blob.key.endswith(".dsse.json")


def _is_old(blob: BlobInfo, oldest: int) -> bool:
    return blob.modified_at < oldest
