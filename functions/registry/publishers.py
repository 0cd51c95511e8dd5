"""Who may publish: publishers, the names they own, their keys.

Rules kept here:

- No two publishers own overlapping names.
- A key is bound to its publisher for ever: it is revoked, never removed, and a revocation is not taken back.
"""

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from oriel.errors import Finding, InvalidInput, OrielError
from oriel.identity import Principal
from oriel.names import is_reverse_domain, owns
from oriel.signing import PublicKey
from oriel.store.records import Page, Publisher, PublisherKey
from registry.auditing import entry_for
from registry.core import Registry


class Publishers:
    """The operator's register."""

    def __init__(self, registry: Registry) -> None:
        self._registry, self._store = registry, registry.store
        self._now = registry.now

    def register(self, principal: Principal, publisher: str, prefixes: Sequence[str]) -> tuple[Publisher, bool]:
        """Register a publisher, or give it other names to own; whether it is new. Versions already there stay.

        Raises:
            InvalidInput: `invalid_input`.
            OrielError: `conflict`, where another publisher owns one of the names.
        """
        known = self._store.get_publisher(publisher)
        owned = tuple(dict.fromkeys(prefixes)) or (publisher,)
        if findings := list(_name_findings(publisher, owned)):
            raise InvalidInput("invalid_input", findings, subject="The publisher")
        if known is not None and known.prefixes == owned:
            return known, False
        self._require_free(publisher, owned)
        created = replace(known, prefixes=owned) if known else self._new(publisher, owned)
        action = "publisher.change" if known else "publisher.register"
        self._put(principal, action, known, created)
        return created, known is None

    def get(self, publisher: str) -> Publisher:
        """`OrielError` `not_found`."""
        found = self._store.get_publisher(publisher)
        if found is None:
            raise OrielError("not_found", f"There is no publisher {publisher}.")
        return found

    def page(self, cursor: str | None, limit: int) -> Page[Publisher]:
        return self._store.list_publishers(cursor, limit)

    def keys(self, publisher: str) -> tuple[PublisherKey, ...]:
        return self._store.list_publisher_keys(self.get(publisher).publisher)

    def add_key(
        self,
        principal: Principal,
        publisher: str,
        public_key_pem: str,
        not_before: int | None = None,
        not_after: int | None = None,
    ) -> PublisherKey:
        """Register a key, or change its window. Times are Unix milliseconds; `not_before` is now by default.

        Raises:
            InvalidInput, OrielError: `invalid_input`, where it is no public key or the window is empty.
        """
        self.get(publisher)
        public_key = PublicKey.from_pem(public_key_pem)
        known = self._key(publisher, public_key.key_id)
        start = not_before if not_before is not None else known.not_before if known else self._now()
        if not_after is not None and not_after <= start:
            finding = Finding("not_after", "must be later than not_before")
            raise InvalidInput("invalid_input", [finding], subject="The key")
        key = PublisherKey(
            publisher=publisher,
            key_id=public_key.key_id,
            public_key_pem=public_key.to_pem(),
            not_before=start,
            not_after=not_after,
            revoked_at=known.revoked_at if known else None,
        )
        if key != known:
            self._put_key(principal, "publisher.key.change" if known else "publisher.key.add", known, key)
        return key

    def revoke_key(self, principal: Principal, publisher: str, key_id: str) -> PublisherKey:
        """What the key signed stops running. Revoking again changes nothing."""
        key = self._key(publisher, key_id)
        if key is None:
            raise OrielError("not_found", f"{publisher} has no key {key_id}.")
        if key.revoked_at is None:
            revoked = replace(key, revoked_at=self._now())
            self._put_key(principal, "publisher.key.revoke", key, revoked)
            return revoked
        return key

    def revoke(self, principal: Principal, publisher: str) -> Publisher:
        """What it published stops running, and it publishes no more. Revoking again changes nothing."""
        found = self.get(publisher)
        if found.revoked_at is None:
            revoked = replace(found, revoked_at=self._now())
            self._put(principal, "publisher.revoke", found, revoked)
            return revoked
        return found

    def _put(self, principal: Principal, action: str, before: Publisher | None, after: Publisher) -> None:
        self._store.put_publisher(
            after, entry_for(self._registry, principal, action, after.publisher, before=before, after=after)
        )

    def _put_key(self, principal: Principal, action: str, before: PublisherKey | None, after: PublisherKey) -> None:
        entry = entry_for(
            self._registry, principal, action, f"{after.publisher} {after.key_id}", before=before, after=after
        )
        self._store.put_publisher_key(after, entry)

    def _new(self, publisher: str, prefixes: tuple[str, ...]) -> Publisher:
        return Publisher(publisher=publisher, prefixes=prefixes, created_at=self._now())

    def _key(self, publisher: str, key_id: str) -> PublisherKey | None:
        return next((key for key in self._store.list_publisher_keys(publisher) if key.key_id == key_id), None)

    def _require_free(self, publisher: str, prefixes: Sequence[str]) -> None:
        for other in self._all():
            if other.publisher == publisher:
                continue
            for mine in prefixes:
                for theirs in other.prefixes:
                    if owns(mine, theirs) or owns(theirs, mine):
                        raise OrielError("conflict", f"{mine} overlaps with {theirs}, which {other.publisher} owns.")

    def _all(self) -> Iterator[Publisher]:
        cursor: str | None = None
        while True:
            page = self._store.list_publishers(cursor)
            yield from page.items
            if (cursor := page.cursor) is None:
                return


def _name_findings(publisher: str, prefixes: Sequence[str]) -> Iterator[Finding]:
    message = "is not a reverse domain name, as in com.acme"
    if not is_reverse_domain(publisher):
        yield Finding("publisher", message)
    for index, prefix in enumerate(prefixes):
        if not is_reverse_domain(prefix):
            yield Finding(f"prefixes[{index}]", message)
