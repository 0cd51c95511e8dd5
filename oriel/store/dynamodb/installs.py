"""Installs, their secrets, and the one read of a request, in DynamoDB.

Rules kept here:

- An install carries what its version says of publisher, signer and bundle, which never changes. So `resolve` takes two
  requests: the install with its secrets, and then all they refer to at once. Of an install that a rollout moved, the
  rollout is among these; only where that was rolled back, there is a third request for the version before.
- Deleting an install goes piece by piece, each a transaction that counts on the install what it deletes. The install
  goes last: a deletion that was cut off is carried on by the next.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import chain, islice
from typing import Any

from msgspec.structs import replace

from oriel.store.dynamodb import table
from oriel.store.dynamodb.items import Item, key_item, key_of, to_item, to_record, to_value
from oriel.store.dynamodb.parts import Part
from oriel.store.dynamodb.queue import enqueued
from oriel.store.dynamodb.requests import (
    ABSENT,
    PRESENT,
    Answer,
    Cancelled,
    Expression,
    Requests,
    check,
    delete,
    expression,
    put,
    update,
)
from oriel.store.dynamodb.table import Key
from oriel.store.errors import Conflict, StoreUnavailable
from oriel.store.event_records import Work
from oriel.store.policy_records import QuotaDefaults, QuotaSetting, SealedPlace
from oriel.store.records import (
    AuditEntry,
    Install,
    Page,
    Publisher,
    PublisherKey,
    Resolution,
    Rollout,
    StoredSecret,
    Version,
)

_CONTENT_HASH, _PUBLISHER, _SIGNER = "version_content_hash", "version_publisher", "version_signer"
REFERENCES = 7
"""What an install refers to, but for a rollout."""
PIECE = 30
"""How many things are deleted at once; an execution is three items, and a transaction takes a hundred."""


class DynamoInstalls(Part):
    """The part that tenants write, and `resolve`."""

    def create_install(self, install: Install, entry: AuditEntry | None = None, then: Work | None = None) -> None:
        taken = f"{install.extension_id} is installed already, or its version {install.version} is gone."
        number = table.install_id(install.tenant_id, install.install_id)
        known = put(key_item(number) | {"extension_id": to_value(install.extension_id)}, ABSENT)
        self._write_install(install, ABSENT, taken, entry, known, *(enqueued(then) if then else ()))

    def replace_install(self, install: Install, entry: AuditEntry | None = None, then: Work | None = None) -> None:
        before = expression(
            "#revision = :before AND install_id = :install",
            ["revision"],
            before=to_value(install.revision - 1),
            install=to_value(install.install_id),
        )
        stale = f"The install of {install.extension_id} has changed meanwhile."
        self._write_install(install, before, stale, entry, *(enqueued(then) if then else ()))

    def get_install(self, tenant_id: str, extension_id: str) -> Install | None:
        return self._one(Install, table.install(tenant_id, extension_id))

    def list_installs(self, tenant_id: str, cursor: str | None = None, limit: int = 100) -> Page[Install]:
        return self._page(Install, table.installs(tenant_id), cursor, limit)

    def delete_install(
        self, tenant_id: str, extension_id: str, entry: AuditEntry | None = None
    ) -> Mapping[str, int] | None:
        while (install := self.get_install(tenant_id, extension_id)) is not None:
            counts = dict.fromkeys(BELONGINGS, 0) | install.erased
            piece = self._piece(install)
            with suppress(Cancelled):  # it has changed meanwhile, or another caller deletes it too
                if piece is None:
                    self._erase_last(install, entry and replace(entry, after=counts))
                    return counts
                kind, things = piece
                counts[kind] += len(things)
                self._erase(install, counts, chain(*things))
        return None

    def due_deletions(self, limit: int = 100) -> tuple[Install, ...]:
        due = expression("delete_at <= :now", now=to_value(self._clock()))
        marks = islice(self._requests.query(table.DELETIONS, only=due), limit)
        return self._installs((mark["of_tenant"]["S"], mark["extension_id"]["S"]) for mark in marks)

    def list_followers(self, extension_id: str, cursor: str | None = None, limit: int = 100) -> Page[Install]:
        marks, following = self._items(table.followers(extension_id), cursor, limit, descending=False)
        return Page(items=self._installs((key_of(mark).sort, extension_id) for mark in marks), cursor=following)

    def put_secret(self, secret: StoredSecret, entry: AuditEntry | None = None) -> None:
        extension_id = self._extension_of(secret.tenant_id, secret.install_id)
        gone = Conflict(f"There is no install {secret.install_id} to keep a secret for.")
        if extension_id is None:
            raise gone
        key = table.secret(secret.tenant_id, extension_id, secret.install_id, secret.name)
        owner = check(table.install(secret.tenant_id, extension_id), belongs_to(secret.install_id))
        try:
            self._transact(owner, put(to_item(key, secret)), _listed(secret), entry=entry)
        except Cancelled:
            raise gone from None

    def delete_secret(self, tenant_id: str, install_id: str, name: str, entry: AuditEntry | None = None) -> bool:
        extension_id = self._extension_of(tenant_id, install_id)
        if extension_id is None:
            return False
        gone = delete(table.secret(tenant_id, extension_id, install_id, name), PRESENT)
        try:
            self._transact(gone, delete(table.sealed(tenant_id, install_id, name)), entry=entry)
        except Cancelled:
            return False
        return True

    def list_secrets(self, tenant_id: str, install_id: str) -> tuple[StoredSecret, ...]:
        extension_id = self._extension_of(tenant_id, install_id)
        if extension_id is None:
            return ()
        return self._all(StoredSecret, table.install(tenant_id, extension_id).partition, table.secrets(install_id))

    def list_sealed(self, key_id: str, cursor: str | None = None, limit: int = 100) -> Page[SealedPlace]:
        found = self._page(SealedPlace, table.SEALED, cursor, limit)
        return Page(items=tuple(place for place in found.items if place.key_id != key_id), cursor=found.cursor)

    def reseal_secret(self, secret: StoredSecret, before: StoredSecret) -> bool:
        extension_id = self._extension_of(secret.tenant_id, secret.install_id)
        if extension_id is None:
            return False
        key = table.secret(secret.tenant_id, extension_id, secret.install_id, secret.name)
        same = expression(
            "#nonce = :nonce AND key_id = :key", ["nonce"], nonce=to_value(before.nonce), key=to_value(before.key_id)
        )
        try:
            self._requests.transact(put(to_item(key, secret), same), _listed(secret))
        except Cancelled:
            return False
        return True

    def resolve(self, tenant_id: str, extension_id: str) -> Resolution | None:
        key = table.install(tenant_id, extension_id)
        stored = {key_of(item): item for item in self._requests.query(key.partition)}
        item = stored.get(key)
        if item is None:
            return None
        install = to_record(Install, item)
        wanted = _referred_to(install, {name: str(item[name]["S"]) for name in (_CONTENT_HASH, _PUBLISHER, _SIGNER)})
        found = self._requests.get_many(wanted)
        if len(wanted) > REFERENCES and _is_rolled_back(found.get(wanted[-1])):
            install = replace(install, version=install.previous_version or install.version, by_rollout=False)
            wanted, found = self._before_rollout(install)
        version, publisher, signer, quarantine, *quotas = (found.get(key) for key in wanted[:REFERENCES])
        if version is None or publisher is None:
            return None
        own = table.secrets(install.install_id)
        return Resolution(
            install=install,
            version=to_record(Version, version),
            secrets=tuple(to_record(StoredSecret, stored[key]) for key in stored if key.sort.startswith(own)),
            publisher_revoked=to_record(Publisher, publisher).revoked_at is not None,
            signer_revoked=signer is not None and to_record(PublisherKey, signer).revoked_at is not None,
            quarantined=quarantine is not None,
            **_quotas(*quotas),
        )

    def _before_rollout(self, install: Install) -> tuple[tuple[Key, ...], dict[Key, Item]]:
        """What an install refers to with another version than its item was written with."""
        version = self._one(Version, table.version(install.extension_id, install.version))
        if version is None:
            raise StoreUnavailable(f"The version {install.extension_id} {install.version} is gone.")
        wanted = _referred_to(install, _refers(version))
        return wanted, self._requests.get_many(wanted)

    def purge_expired(self, limit: int = 1_000) -> int:
        """What has expired DynamoDB removes by itself."""
        return 0

    def _piece(self, install: Install) -> tuple[str, list[tuple[Key, ...]]] | None:
        """Some of what belongs to an install, and its kind; None where nothing is left."""
        for kind, belonging in BELONGINGS.items():
            if things := list(islice(belonging(self._requests, install), PIECE)):
                return kind, things
        return None

    def _erase(self, install: Install, counts: Mapping[str, int], keys: Iterable[Key]) -> None:
        """Delete some of what belongs to an install, and count it there. Raises `Cancelled`, where it has changed."""
        change = expression("SET erased = :erased, #revision = :next", ["revision"], erased=to_value(dict(counts)))
        change = replace(change, values={**change.values, ":next": to_value(install.revision + 1)})
        here = table.install(install.tenant_id, install.extension_id)
        self._transact(update(here, change, _unchanged(install)), *map(delete, keys))

    def _erase_last(self, install: Install, entry: AuditEntry | None) -> None:
        tenant_id, extension_id = install.tenant_id, install.extension_id
        self._transact(
            delete(table.install(tenant_id, extension_id), _unchanged(install)),
            delete(Key(table.installs(tenant_id), extension_id)),
            delete(table.install_id(tenant_id, install.install_id)),
            delete(Key(table.followers(extension_id), tenant_id)),
            delete(table.deletion(tenant_id, extension_id)),
            entry=entry,
        )

    def _write_install(
        self, install: Install, condition: Expression, otherwise: str, entry: AuditEntry | None, *more: Answer
    ) -> None:
        """The install, its copy in the tenant's listing, and its marks for rollouts and for deletion."""
        version = self._one(Version, table.version(install.extension_id, install.version))
        if version is None:
            raise Conflict(otherwise)
        extra = {name: to_value(value) for name, value in _refers(version).items()}
        item = to_item(table.install(install.tenant_id, install.extension_id), install, **extra)
        listed = Key(table.installs(install.tenant_id), install.extension_id)
        following = Key(table.followers(install.extension_id), install.tenant_id)
        going = table.deletion(install.tenant_id, install.extension_id)
        writes = (
            put(item, condition),
            put(to_item(listed, install)),
            put(key_item(following)) if install.follows else delete(following),
            delete(going) if install.delete_at is None else put(_going(going, install, install.delete_at)),
        )
        try:
            self._transact(*writes, *more, entry=entry)
        except Cancelled:
            raise Conflict(otherwise) from None

    def _installs(self, names: Iterable[tuple[str, str]]) -> tuple[Install, ...]:
        """The installs of tenants and extensions, in this order, as they are now."""
        keys = [table.install(*name) for name in names]
        found = self._requests.get_many(keys)
        return tuple(to_record(Install, found[key]) for key in keys if key in found)

    def _extension_of(self, tenant_id: str, install_id: str) -> str | None:
        found = self._requests.get(table.install_id(tenant_id, install_id))
        return None if found is None else str(found["extension_id"]["S"])


def _secrets(requests: Requests, install: Install) -> Iterator[tuple[Key, ...]]:
    """Each with its place in the listing of all that is sealed."""
    begins = table.secrets(install.install_id)
    here = table.install(install.tenant_id, install.extension_id).partition
    for item in requests.query(here, begins=begins, keys=True):
        key = key_of(item)
        yield key, table.sealed(install.tenant_id, install.install_id, key.sort.removeprefix(begins))


def _records(requests: Requests, install: Install) -> Iterator[tuple[Key, ...]]:
    here = table.guest_records(install.tenant_id, install.install_id)
    return ((key_of(item),) for item in requests.query(here, keys=True))


def _repeats(requests: Requests, install: Install) -> Iterator[tuple[Key, ...]]:
    here = table.repeats(install.tenant_id, install.install_id)
    return ((key_of(item),) for item in requests.query(here, keys=True))


def _executions(requests: Requests, install: Install) -> Iterator[tuple[Key, ...]]:
    """Each in its extension's listing, in the tenant's and in its request's."""
    here = table.executions_of(install.tenant_id, install.extension_id)
    for item in requests.query(here, only=belongs_to(install.install_id)):
        key = key_of(item)
        of_request = Key(table.requests(install.tenant_id), table.of_request(item["request_id"]["S"]) + key.sort)
        yield key, Key(table.executions(install.tenant_id), key.sort), of_request


def _fixtures(requests: Requests, install: Install) -> Iterator[tuple[Key, ...]]:
    """Each with its line in the listing."""
    own = (install.tenant_id, install.install_id)
    for item in requests.query(table.sealed_fixtures(*own), keys=True):
        key = key_of(item)
        yield key, Key(table.fixtures(*own), key.sort)


def _schedules(requests: Requests, install: Install) -> Iterator[tuple[Key, ...]]:
    """Each with its name."""
    for item in requests.query(table.schedules(install.tenant_id), only=belongs_to(install.install_id)):
        yield key_of(item), table.schedule_name(install.tenant_id, install.install_id, item["name"]["S"])


def _subscriptions(requests: Requests, install: Install) -> Iterator[tuple[Key, ...]]:
    key = table.subscription_set(install.tenant_id, install.install_id)
    return iter([(key,)] if requests.get(key) is not None else [])


BELONGINGS: Mapping[str, Callable[[Requests, Install], Iterator[tuple[Key, ...]]]] = {
    "subscriptions": _subscriptions,
    "schedules": _schedules,
    "secrets": _secrets,
    "records": _records,
    "repeated_requests": _repeats,
    "executions": _executions,
    "fixtures": _fixtures,
}
"""What belongs to an install and is deleted with it, by the names that receipts use: the keys of each thing."""


def _going(key: Key, install: Install, at: int) -> Item:
    """The mark of an install that is to be deleted."""
    names = {"of_tenant": install.tenant_id, "extension_id": install.extension_id, "delete_at": at}
    return key_item(key) | {name: to_value(value) for name, value in names.items()}


def belongs_to(install_id: str) -> Expression:
    """Of this very install, and not of another one of the same extension."""
    return expression("install_id = :install", install=to_value(install_id))


def _listed(secret: StoredSecret) -> Answer:
    """A secret's place in the listing of all that is sealed: under which key, and no more."""
    key = table.sealed(secret.tenant_id, secret.install_id, secret.name)
    names = ("tenant_id", "install_id", "name", "key_id")
    return put(to_item(key, SealedPlace(**{name: getattr(secret, name) for name in names})))


def _quotas(defaults: Item | None, of_tenant: Item | None, of_install: Item | None) -> dict[str, dict[str, Any]]:
    """What the operator set for the tenant and for the install, over what is set for all."""
    general = None if defaults is None else to_record(QuotaDefaults, defaults)
    own = [{} if item is None else to_record(QuotaSetting, item).values for item in (of_tenant, of_install)]
    return {
        "tenant_quotas": (general.tenant if general else {}) | own[0],
        "install_quotas": (general.install if general else {}) | own[1],
    }


def _unchanged(install: Install) -> Expression:
    same = belongs_to(install.install_id)
    values = {**same.values, ":revision": to_value(install.revision)}
    return Expression(f"{same.text} AND #revision = :revision", {"#revision": "revision"}, values)


def _is_rolled_back(item: Item | None) -> bool:
    return item is not None and to_record(Rollout, item).status == "rolled_back"


def _refers(version: Version) -> dict[str, str]:
    """What an install's item says of its version."""
    return {_CONTENT_HASH: version.content_hash, _PUBLISHER: version.publisher, _SIGNER: version.signer_key_id}


def _referred_to(install: Install, refers: Mapping[str, str]) -> tuple[Key, ...]:
    """The keys of the version, its publisher and key, its bundle's quarantine, the quotas; and of its rollout."""
    keys = (
        table.version(install.extension_id, install.version),
        table.publisher(refers[_PUBLISHER]),
        table.publisher_key(refers[_PUBLISHER], refers[_SIGNER]),
        table.quarantine(refers[_CONTENT_HASH]),
        table.quota_defaults(),
        table.quota(install.tenant_id, ""),
        table.quota(install.tenant_id, install.extension_id),
    )
    return (*keys, table.rollout(install.extension_id, install.version)) if install.by_rollout else keys
