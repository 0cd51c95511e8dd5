"""One extension for one tenant: its version, status, grants, configuration and secrets.

Rules kept here:

- The tenant comes from the caller's token; an install of another tenant is not there.
- A version runs only after its signature was verified again at this moment (`installable`).
- An install is pinned to a version, or follows a range. A range is read when it is given: at that moment the install
  gets the highest version in it that is offered to the tenant. From then on rollouts move it (`registry.rollouts`).
- Every change of an install goes through `replace`, with its audit entry and the work of what follows it.
- A disabled install can be configured; one that was uninstalled can be restored, exported and deleted, and no more.
- A secret's value comes in, is sealed, and never goes out.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import replace

from oriel.errors import Finding, InvalidInput, OrielError
from oriel.following import Following
from oriel.identity import Principal
from oriel.ids import new_id
from oriel.manifest import LimitsRequest
from oriel.manifest.config import check_config
from oriel.published import Published
from oriel.store.queueing import following
from oriel.store.records import AuditEntry, Install, Page, StoredSecret, Version
from oriel.versions import VersionRange, is_version
from registry.auditing import entry_for
from registry.catalogue import LATEST, Catalogue
from registry.core import Registry, principal_id
from registry.grants import GrantRequest, consented, host_problem
from registry.signatures import Signatures

MAX_SECRETS = 64
MAX_SECRET_BYTES = 16_384
_SECRET_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")


class SecretRequest(Struct, frozen=True):
    """A value to seal. Where `reference_only`, the guest never sees it: the host sends it to `hosts`."""

    value: bytes
    hosts: tuple[str, ...] = ()
    reference_only: bool = False


class Installs:
    """The installs of all tenants."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._store = registry.store
        self._catalogue = Catalogue(registry)
        self._signatures = Signatures(registry)
        self._following = Following(registry.store, told=registry.told, clock=registry.now)

    def page(self, tenant_id: str, cursor: str | None, limit: int) -> Page[Install]:
        return self._store.list_installs(tenant_id, cursor, limit)

    def get(self, tenant_id: str, extension_id: str) -> Install:
        """`OrielError` `extension_not_installed`, also where it was uninstalled."""
        install = self.find(tenant_id, extension_id)
        if install.delete_at is not None:
            hint = f"Restore it while it is there: oriel restore {extension_id}."
            raise OrielError("extension_not_installed", f"{extension_id} was uninstalled.", hint=hint)
        return install

    def find(self, tenant_id: str, extension_id: str) -> Install:
        """The install, also where it was uninstalled; `OrielError` `extension_not_installed`."""
        install = self._store.get_install(tenant_id, extension_id)
        if install is None:
            raise OrielError("extension_not_installed", f"{extension_id} is not installed.")
        return install

    def install(
        self,
        principal: Principal,
        extension_id: str,
        version: str | None,
        grants: Sequence[GrantRequest] | None,
        config: Mapping[str, Any] | None,
    ) -> tuple[Install, bool]:
        """Install for the principal's tenant; whether it is new. Installing the same version again changes nothing.

        Args:
            version: a version, a range that the install follows from now on, or None for the latest.

        Raises:
            OrielError: `not_found`, `version_yanked`, `quarantined`, `consent_required`, `conflict` where another
                version is installed, and the refusals of its signature.
            InvalidInput: `invalid_config`, `invalid_input`.
        """
        tenant_id = principal.require_tenant()
        known = self._store.get_install(tenant_id, extension_id)
        if known is not None:
            if known.delete_at is None and version in {None, LATEST, known.version, known.follows}:
                return known, False
            raise _installed_already(known, version)
        follows = range_in(version)
        wanted, manifest = self.installable(extension_id, version or LATEST, tenant_id)
        now = self._registry.now()
        install = Install(
            tenant_id=tenant_id,
            extension_id=extension_id,
            install_id=new_id("ins"),
            version=wanted.version,
            follows=follows,
            status="enabled",
            grants=consented(manifest, grants, granted_by=principal_id(principal), now=now),
            config=valid_config(manifest, config or {}),
            installed_by=principal_id(principal),
            created_at=now,
            updated_at=now,
        )
        then = following(install, install.version)
        self._store.create_install(install, self._entry(principal, "install.create", None, install), then)
        self._following.at_once(then)
        return install, True

    def change(
        self,
        principal: Principal,
        extension_id: str,
        *,
        status: Literal["enabled", "disabled"] | None = None,
        config: Mapping[str, Any] | None = None,
        limits: LimitsRequest | None = None,
    ) -> Install:
        """Enable, disable, configure or bound.

        Args:
            limits: exactly these from now on, which lower what executions get and never raise it.

        Raises:
            OrielError: `extension_not_installed`.
            InvalidInput: `invalid_config`.
        """
        install = self.get(principal.require_tenant(), extension_id)
        changed = replace(install, status=status or install.status, config=dict(config or install.config))
        if limits is not None:
            changed = replace(changed, limits=limits.model_dump(exclude_none=True))
        if config is not None:
            changed = replace(changed, config=valid_config(self.manifest(install), config))
        return self.replace(principal, _action(install, changed), install, changed)

    def set_config(self, principal: Principal, extension_id: str, config: Mapping[str, Any]) -> Install:
        """Exactly this configuration from now on; `InvalidInput` `invalid_config`."""
        install = self.get(principal.require_tenant(), extension_id)
        changed = replace(install, config=valid_config(self.manifest(install), config))
        return self.replace(principal, "config.set", install, changed)

    def put_secret(self, principal: Principal, extension_id: str, name: str, secret: SecretRequest) -> StoredSecret:
        """Seal and keep a secret, in place of one of that name.

        Raises:
            InvalidInput: `invalid_input`.
            OrielError: `unavailable`, where there is no key to seal with.
        """
        tenant_id = principal.require_tenant()
        install = self.get(tenant_id, extension_id)
        kept = {one.name: one for one in self._store.list_secrets(tenant_id, install.install_id)}
        known = kept.pop(name, None)
        if findings := list(_secret_findings(name, secret, len(kept))):
            raise InvalidInput("invalid_input", findings, subject="The secret")
        sealed = self._registry.sealer.seal(tenant_id, install.install_id, name, secret.value)
        stored = StoredSecret(
            tenant_id=tenant_id,
            install_id=install.install_id,
            name=name,
            key_id=sealed.key_id,
            nonce=sealed.nonce,
            ciphertext=sealed.ciphertext,
            hosts=secret.hosts,
            reference_only=secret.reference_only,
            updated_at=self._registry.now(),
        )
        entry = self._secret_entry(principal, "secret.set", install, known, stored)
        self._store.put_secret(stored, entry)
        return stored

    def secrets(self, tenant_id: str, extension_id: str) -> tuple[StoredSecret, ...]:
        return self._store.list_secrets(tenant_id, self.get(tenant_id, extension_id).install_id)

    def delete_secret(self, principal: Principal, extension_id: str, name: str) -> None:
        tenant_id = principal.require_tenant()
        install = self.get(tenant_id, extension_id)
        kept = self._store.list_secrets(tenant_id, install.install_id)
        known = next((secret for secret in kept if secret.name == name), None)
        if known is not None:
            entry = self._secret_entry(principal, "secret.delete", install, known, None)
            if self._store.delete_secret(tenant_id, install.install_id, name, entry):
                return
        raise OrielError("not_found", f"There is no secret {name}.")

    def manifest(self, install: Install) -> Published:
        """Of the version that is installed."""
        return Published.read(self._catalogue.version(install.extension_id, install.version).manifest)

    def menu(self, tenant_id: str) -> Iterator[dict[str, str | None]]:
        """The places in the host product where the tenant's enabled extensions appear."""
        cursor: str | None = None
        while True:
            page = self._store.list_installs(tenant_id, cursor)
            for install in page.items:
                yield from self._menu_items(install)
            if (cursor := page.cursor) is None:
                return

    def _menu_items(self, install: Install) -> Iterator[dict[str, str | None]]:
        found = self._store.resolve(install.tenant_id, install.extension_id)
        if found is None or found.install.status != "enabled" or found.version.status == "yanked":
            return
        if found.publisher_revoked or found.signer_revoked or found.quarantined:
            return
        manifest = Published.read(found.version.manifest)
        if manifest.ui is None:
            return
        for name, hooks in manifest.ui.hooks.items():
            for hook in hooks:
                yield {
                    "extension_id": install.extension_id,
                    "hook": name,
                    "label": hook.label,
                    "path": hook.path,
                    "icon": hook.icon,
                    "content_hash": found.version.content_hash,
                    "entry": manifest.ui.entry,
                    "version": found.version.version,
                    "title": manifest.title,
                }

    def installable(self, extension_id: str, version: str, tenant_id: str) -> tuple[Version, Published]:
        """The version of that number, the `latest`, or the highest of a range that is offered to the tenant.

        Raises:
            OrielError: `not_found`, `version_yanked`, `quarantined`, and the refusals of its signature.
        """
        wanted = self._catalogue.choose(extension_id, version, tenant_id)
        if wanted.status == "yanked":
            raise OrielError("version_yanked", f"{extension_id} {wanted.version} was withdrawn.")
        if self._store.get_quarantine(wanted.content_hash) is not None:
            raise OrielError("quarantined", f"{extension_id} {wanted.version} is quarantined.")
        publisher = self._store.get_publisher(wanted.publisher)
        if publisher is None or publisher.revoked_at is not None:
            raise OrielError("signature_untrusted", f"The publisher {wanted.publisher} was revoked.")
        self._signatures.require_trusted(wanted)
        return wanted, Published.read(wanted.manifest)

    def replace(self, actor: Principal | str, action: str, before: Install, after: Install) -> Install:
        """Write a changed install with its audit entry; nothing where nothing changed. `OrielError` `conflict`."""
        if after == before:
            return before
        changed = replace(after, updated_at=self._registry.now(), revision=before.revision + 1)
        then = following(changed, before.version)
        self._store.replace_install(changed, self._entry(actor, action, before, changed), then)
        self._following.at_once(then)
        return changed

    def _secret_entry(
        self,
        principal: Principal,
        action: str,
        install: Install,
        before: StoredSecret | None,
        after: StoredSecret | None,
    ) -> AuditEntry:
        """Whose secret, which one, and where it may go; the key it is sealed with changes with its value."""
        secret = after or before
        target = f"{install.extension_id} {secret.name if secret else ''}"
        return entry_for(
            self._registry, principal, action, target, before=before, after=after, tenant_id=install.tenant_id
        )

    def _entry(self, actor: Principal | str, action: str, before: Install | None, after: Install) -> AuditEntry:
        extension_id, tenant_id = after.extension_id, after.tenant_id
        return entry_for(self._registry, actor, action, extension_id, before=before, after=after, tenant_id=tenant_id)


def range_in(version: str | None) -> str:
    """The range that `version` is; empty where it is a version, or none.

    Raises:
        InvalidInput: `invalid_input`, where it is neither.
    """
    if version is None or version == LATEST or is_version(version):
        return ""
    try:
        return VersionRange.parse(version).text
    except ValueError as error:
        raise InvalidInput("invalid_input", [Finding("version", f"{version!r} {error}")]) from None


def _installed_already(known: Install, version: str | None) -> OrielError:
    extension_id = known.extension_id
    if known.delete_at is not None:
        hint = f"Restore it: oriel restore {extension_id}; or delete what is left: oriel delete {extension_id}."
        return OrielError("conflict", f"{extension_id} was uninstalled, and its data is still there.", hint=hint)
    hint = f"Upgrade it: oriel upgrade {extension_id} {version}."
    return OrielError("conflict", f"{extension_id} {known.version} is installed.", hint=hint)


def _action(before: Install, after: Install) -> str:
    if before.status != after.status:
        return "install.enable" if after.status == "enabled" else "install.disable"
    return "limits.set" if before.limits != after.limits else "config.set"


def valid_config(manifest: Published, config: Mapping[str, Any]) -> dict[str, Any]:
    check_config(manifest.settings, config)
    return dict(config)


def _secret_findings(name: str, secret: SecretRequest, others: int) -> Iterator[Finding]:
    if not _SECRET_NAME.fullmatch(name):
        yield Finding("name", "must be 1 to 64 letters, digits or _ . -, and begin with a letter or _")
    if not 0 < len(secret.value) <= MAX_SECRET_BYTES:
        yield Finding("value", f"must have 1 to {MAX_SECRET_BYTES:,} bytes, not {len(secret.value):,}")
    if others >= MAX_SECRETS:
        yield Finding("name", f"is one too many: an install has at most {MAX_SECRETS} secrets")
    for index, host in enumerate(secret.hosts):
        if problem := host_problem(host):
            yield Finding(f"hosts[{index}]", problem)
        elif host.startswith("http://"):
            yield Finding(f"hosts[{index}]", "is not https: the secret would cross the network in the clear")
    if secret.reference_only and not secret.hosts:
        yield Finding("hosts", "is empty: a secret that the extension never sees is of use only for hosts")
