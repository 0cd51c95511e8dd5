"""Another version for an install: looked at first, then taken, and gone back from.

Rules kept here:

- Looking changes nothing, and shows what taking would do: what differs, what needs consent, whether the settings fit.
- Another version changes the version and nothing else. Configuration, secrets, records, subscriptions and schedules
  stay; so do the grants, as far as the version that is left asked for them. What the new version asks for beyond them
  is granted only where this very request consents to it.
- The version before is remembered, with its configuration. Going back is one call; it pins the install, so that
  no rollout brings it forward again.
- A rollout takes an install along only where that needs nobody's decision: nothing more is asked for, and the settings
  fit.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from oriel.errors import InvalidInput, OrielError
from oriel.identity import Principal
from oriel.manifest.config import check_config
from oriel.published import Published
from oriel.store.records import Grant, Install, Version
from oriel.versions import precedence
from registry.auditing import PLATFORM
from registry.catalogue import LATEST, Catalogue
from registry.core import Registry, principal_id
from registry.differences import differences, more
from registry.grants import GrantRequest, consented, narrowed, with_grants
from registry.installs import Installs, range_in, valid_config

Json = dict[str, Any]


class _Step(Struct, frozen=True):
    """From the version that an install has to another."""

    install: Install
    before: Version
    after: Version
    old: Published
    new: Published


class Upgrades:
    """Versions of installs, changed."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._catalogue = Catalogue(registry)
        self._installs = Installs(registry)

    def preview(self, principal: Principal, extension_id: str, version: str | None) -> Json:
        """What `upgrade` would do.

        Raises:
            OrielError: as `upgrade`.
        """
        step = self._step(self._installs.get(principal.require_tenant(), extension_id), version)
        sizes = self._catalogue.size(step.before), self._catalogue.size(step.after)
        return {
            "extension_id": extension_id,
            "from": step.before.version,
            "to": step.after.version,
            "direction": _direction(step),
            "follows": range_in(version) if version else step.install.follows,
            "changes": differences(step.before, step.after, sizes),
            "needs_consent": more(step.old, step.new),
            "keeps": [grant.capability for grant in narrowed(step.install.grants, step.old)],
            "config_findings": _config_findings(step.new, step.install.config),
        }

    def upgrade(
        self,
        principal: Principal,
        extension_id: str,
        version: str | None = None,
        grants: Sequence[GrantRequest] = (),
        config: Mapping[str, Any] | None = None,
        *,
        exact: bool = False,
    ) -> Install:
        """Run another version from now on.

        Args:
            version: a version, which pins the install to it; a range, which the install then follows; None for the
                highest of the range that it follows, or the latest.
            grants: what is consented to now, each in place of the same capability's grant; the others stay.
            config: exactly this configuration from now on; None keeps what is there.
            exact: these grants and no others; none stays that is not among them.

        Raises:
            OrielError: `not_found`, `version_yanked`, `quarantined`, and the refusals of its signature.
            InvalidInput: `invalid_config`, where the configuration does not fit; `invalid_input`.
        """
        install = self._installs.get(principal.require_tenant(), extension_id)
        step = self._step(install, version)
        given = consented(
            step.new, grants, granted_by=principal_id(principal), now=self._registry.now(), before=install.grants
        )
        wanted = valid_config(step.new, install.config if config is None else config)
        follows = install.follows if version is None else range_in(version)
        moved = replace(
            _moved(step, given, exact=exact),
            config=wanted,
            follows=follows,
            by_rollout=self._is_on_its_way(step, version),
        )
        return self._installs.replace(principal, "install.upgrade", install, moved)

    def rollback(self, principal: Principal, extension_id: str) -> Install:
        """Go back to the version before, and stay there. Again: forward to the one that was left.

        Raises:
            OrielError: `conflict`, where there is none; and as `upgrade`.
        """
        install = self._installs.get(principal.require_tenant(), extension_id)
        if install.previous_version is None:
            raise OrielError("conflict", f"{extension_id} has run no version but {install.version}.")
        back, manifest = self._installs.installable(extension_id, install.previous_version, install.tenant_id)
        config = install.config
        if _config_findings(manifest, config):
            config = valid_config(manifest, install.previous_config or {})
        gone_back = replace(_left(install, back.version), config=config, follows="")
        return self._installs.replace(principal, "install.rollback", install, gone_back)

    def take_along(self, install: Install, version: str) -> Install | None:
        """Bring an install to a version that is rolled out; None where that needs somebody's decision.

        Raises:
            OrielError: `conflict`, where the install changed meanwhile.
        """
        step = self._step(install, version)
        if more(step.old, step.new) or _config_findings(step.new, install.config):
            return None
        moved = replace(_moved(step, ()), by_rollout=True)
        return self._installs.replace(PLATFORM, "install.rollout", install, moved)

    def bring_back(self, install: Install) -> Install:
        """Undo `take_along`; the install goes on following its range."""
        if install.previous_version is None:
            return install
        gone_back = replace(install, version=install.previous_version, previous_version=None, previous_config=None)
        return self._installs.replace(PLATFORM, "install.rollout-back", install, replace(gone_back, by_rollout=False))

    def _is_on_its_way(self, step: _Step, version: str | None) -> bool:
        """Whether a range led to a version that is being rolled out: going back from it is then the rollout's too."""
        wanted = version or step.install.follows or LATEST
        by_number = wanted == step.after.version
        return (
            not by_number and self._registry.store.get_rollout(step.after.extension_id, step.after.version) is not None
        )

    def _step(self, install: Install, version: str | None) -> _Step:
        wanted = version or install.follows or LATEST
        range_in(wanted)
        after, new = self._installs.installable(install.extension_id, wanted, install.tenant_id)
        before = self._catalogue.version(install.extension_id, install.version)
        return _Step(install, before, after, Published.read(before.manifest), new)


def _moved(step: _Step, given: Sequence[Grant], *, exact: bool = False) -> Install:
    """The install at the new version, with what it keeps, which is nothing where `exact`, and what is given to it."""
    stays = step.before.version == step.after.version
    kept = step.install.grants if stays else narrowed(step.install.grants, step.old)
    moved = step.install if stays else _left(step.install, step.after.version)
    return replace(moved, grants=with_grants(() if exact else kept, given))


def _left(install: Install, version: str) -> Install:
    """The install at another version; the one that it had is remembered."""
    return replace(
        install,
        version=version,
        by_rollout=False,
        previous_version=install.version,
        previous_config=install.config,
    )


def _direction(step: _Step) -> str:
    order = precedence(step.after.version).compare(precedence(step.before.version))
    return "same" if step.before.version == step.after.version else "upgrade" if order >= 0 else "downgrade"


def _config_findings(manifest: Published, config: Mapping[str, Any]) -> list[Json]:
    try:
        check_config(manifest.settings, config)
    except InvalidInput as error:
        return [{"at": finding.at, "message": finding.message} for finding in error.findings]
    return []
