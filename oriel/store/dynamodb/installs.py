"""Installs, their secrets, and the one read of a request, in DynamoDB.

Rules kept here:

- An install carries what its version says of publisher, signer and bundle, which never changes. So `resolve` takes two
  requests: the install with its secrets, and then all they refer to at once.
- Deleting an install is one transaction that leaves a mark; then everything that belonged to the install goes, page
  by page, and the mark last. A deletion that was cut off is carried on by the next `delete_install` of the same, or
  by `purge_expired`. Meanwhile nothing of it shows: what is left stands under an install id that is no more.
"""

from collections.abc import Iterator
from itertools import chain, islice
from typing import Any, NamedTuple

from oriel.store.dynamodb import table
from oriel.store.dynamodb.items import Item, key_item, key_of, to_item, to_record, to_value
from oriel.store.dynamodb.parts import Part
from oriel.store.dynamodb.requests import (
    ABSENT,
    MAX_BATCH_WRITE,
    Answer,
    Cancelled,
    Expression,
    check,
    delete,
    expression,
    put,
)
from oriel.store.dynamodb.table import Key
from oriel.store.errors import Conflict
from oriel.store.policy_records import QuotaDefaults, QuotaSetting, SealedPlace
from oriel.store.records import Install, Page, Publisher, PublisherKey, Resolution, StoredSecret, Version

_CONTENT_HASH, _PUBLISHER, _SIGNER = "version_content_hash", "version_publisher", "version_signer"


class _Deletion(NamedTuple):
    """The mark of an install that is being deleted."""

    tenant_id: str
    extension_id: str
    install_id: str

    @property
    def key(self) -> Key:
        return table.deletion(*self)

    def item(self) -> Item:
        return key_item(self.key) | {name: to_value(value) for name, value in self._asdict().items()}


class DynamoInstalls(Part):
    """The part that tenants write, and `resolve`."""

    def create_install(self, install: Install) -> None:
        taken = f"{install.extension_id} is installed already, or its version {install.version} is gone."
        number = table.install_id(install.tenant_id, install.install_id)
        known = put(key_item(number) | {"extension_id": to_value(install.extension_id)}, ABSENT)
        self._write_install(install, ABSENT, taken, known)

    def replace_install(self, install: Install) -> None:
        before = expression(
            "#revision = :before AND install_id = :install",
            ["revision"],
            before=to_value(install.revision - 1),
            install=to_value(install.install_id),
        )
        self._write_install(install, before, f"The install of {install.extension_id} has changed meanwhile.")

    def get_install(self, tenant_id: str, extension_id: str) -> Install | None:
        return self._one(Install, table.install(tenant_id, extension_id))

    def list_installs(self, tenant_id: str, cursor: str | None = None, limit: int = 100) -> Page[Install]:
        return self._page(Install, table.installs(tenant_id), cursor, limit)

    def delete_install(self, tenant_id: str, extension_id: str) -> bool:
        stored = self.get_install(tenant_id, extension_id)
        if stored is not None:
            mark = _Deletion(tenant_id, extension_id, stored.install_id)
            try:
                self._requests.transact(
                    delete(table.install(tenant_id, extension_id), belongs_to(stored.install_id)),
                    delete(Key(table.installs(tenant_id), extension_id)),
                    delete(table.install_id(tenant_id, stored.install_id)),
                    delete(table.subscription_set(tenant_id, stored.install_id)),
                    put(mark.item()),
                )
            except Cancelled:
                stored = None  # another caller deleted it meanwhile
        begun = list(self._deletions(table.joined(tenant_id, extension_id) + "#"))
        for mark in begun:
            self._carry_on(mark)
        return stored is not None or bool(begun)

    def put_secret(self, secret: StoredSecret) -> None:
        extension_id = self._extension_of(secret.tenant_id, secret.install_id)
        gone = Conflict(f"There is no install {secret.install_id} to keep a secret for.")
        if extension_id is None:
            raise gone
        key = table.secret(secret.tenant_id, extension_id, secret.install_id, secret.name)
        owner = check(table.install(secret.tenant_id, extension_id), belongs_to(secret.install_id))
        try:
            self._requests.transact(owner, put(to_item(key, secret)), _listed(secret))
        except Cancelled:
            raise gone from None

    def delete_secret(self, tenant_id: str, install_id: str, name: str) -> bool:
        extension_id = self._extension_of(tenant_id, install_id)
        if extension_id is None:
            return False
        there = self._requests.delete(table.secret(tenant_id, extension_id, install_id, name))
        self._requests.delete(table.sealed(tenant_id, install_id, name))
        return there

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
        wanted = _referred_to(install, item)
        found = self._requests.get_many(wanted)
        version, publisher, signer, quarantine, defaults, of_tenant, of_install = (found.get(key) for key in wanted)
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
            **_quotas(defaults, of_tenant, of_install),
        )

    def purge_expired(self, limit: int = 1_000) -> int:
        """What has expired DynamoDB removes by itself; here go the rests of deletions that were cut off."""
        removed = 0
        for mark in self._deletions():
            removed += self._carry_on(mark, limit - removed)
            if removed >= limit:
                break
        return removed

    def _write_install(self, install: Install, condition: Expression, otherwise: str, *more: Answer) -> None:
        version = self._one(Version, table.version(install.extension_id, install.version))
        if version is None:
            raise Conflict(otherwise)
        refers = {_CONTENT_HASH: version.content_hash, _PUBLISHER: version.publisher, _SIGNER: version.signer_key_id}
        extra = {name: to_value(value) for name, value in refers.items()}
        listed = Key(table.installs(install.tenant_id), install.extension_id)
        item = to_item(table.install(install.tenant_id, install.extension_id), install, **extra)
        try:
            self._requests.transact(put(item, condition), put(to_item(listed, install)), *more)
        except Cancelled:
            raise Conflict(otherwise) from None

    def _extension_of(self, tenant_id: str, install_id: str) -> str | None:
        found = self._requests.get(table.install_id(tenant_id, install_id))
        return None if found is None else str(found["extension_id"]["S"])

    def _deletions(self, begins: str = "") -> Iterator[_Deletion]:
        for item in self._requests.query(table.DELETIONS, begins=begins):
            yield _Deletion(*(item[name]["S"] for name in _Deletion._fields))

    def _carry_on(self, mark: _Deletion, limit: int | None = None) -> int:
        """Remove at most `limit` of what belonged to the install, and the mark where nothing is left; how many."""
        begins = table.secrets(mark.install_id)
        secrets = self._requests.query(
            table.install(mark.tenant_id, mark.extension_id).partition, begins=begins, keys=True
        )
        records = self._requests.query(table.guest_records(mark.tenant_id, mark.install_id), keys=True)
        names = self._requests.query(table.schedule_names(mark.tenant_id, mark.install_id), keys=True)
        schedules = self._requests.query(table.schedules(mark.tenant_id), only=belongs_to(mark.install_id), keys=True)
        repeats = self._requests.query(table.repeats(mark.tenant_id, mark.install_id), keys=True)
        belonging, removed = map(key_of, chain(secrets, records, repeats, schedules, names)), 0
        while some := list(
            islice(belonging, MAX_BATCH_WRITE if limit is None else min(MAX_BATCH_WRITE, limit - removed))
        ):
            sealed = [key.sort.removeprefix(begins) for key in some if key.sort.startswith(begins)]
            self._requests.delete_many(table.sealed(mark.tenant_id, mark.install_id, name) for name in sealed)
            self._requests.delete_many(some)
            removed += len(some)
        if limit is None or removed < limit:
            self._requests.delete(mark.key)
        return removed


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


def _referred_to(install: Install, item: Item) -> tuple[Key, ...]:
    """The keys of the version, its publisher, the key it is signed with, its bundle's quarantine, and the quotas."""
    content_hash, publisher, signer = (str(item[name]["S"]) for name in (_CONTENT_HASH, _PUBLISHER, _SIGNER))
    return (
        table.version(install.extension_id, install.version),
        table.publisher(publisher),
        table.publisher_key(publisher, signer),
        table.quarantine(content_hash),
        table.quota_defaults(),
        table.quota(install.tenant_id, ""),
        table.quota(install.tenant_id, install.extension_id),
    )
