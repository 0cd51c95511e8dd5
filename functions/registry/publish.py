"""Publishing: the state machine that takes an upload session to `ready` or to `rejected`.

    open ──finalize──▶ uploaded ──▶ verified ──▶ compiled ──▶ ready
                           └───────────┴────────────┴───────▶ rejected, with every reason

Rules kept here:

- A step begins from the staged bytes and may be repeated after a crash at any point: all that it writes is
  written once, under a key that the bytes themselves decide, or is compared with what is there.
- Every step verifies again. A key that was revoked between two steps stops the publication.
- Nothing is visible before `ready`. Blobs come first; the version's row is written last, in one transaction.
- The session's record moves by its revision: of two publishers at work on one session, one moves it.
- A store or a blob store that does not answer changes nothing and is tried again. A fault that nobody foresaw is
  tried `MAX_ATTEMPTS` times, and an attempt is counted before it begins, so that one which ends the process counts.
"""

import logging
from collections.abc import Callable, Iterator
from typing import Any

from msgspec.structs import replace

from oriel.capabilities import BY_INTERFACE, CAPABILITIES, WIT_PACKAGE
from oriel.engine.config import current_fingerprint
from oriel.engine.inspect import import_findings, importable
from oriel.errors import InvalidInput, OrielError
from oriel.ids import new_id
from oriel.manifest import Manifest
from oriel.store import Conflict
from oriel.store.records import TERMINAL_STATES, Bundle, Extension, Upload, UploadState, Version
from registry.auditing import entry_for
from registry.collecting import PUBLISHER, claim_names
from registry.compiling import Compiled, Compiler, CompilerSlow
from registry.core import Registry
from registry.deposit import Depository
from registry.uploads import Uploads
from registry.verify import Reason, Rejected, Verified, Verifier, reasons

MAX_ATTEMPTS = 5
CLAIM_MS = 15 * 60_000
WASI_WAYS = {"http.fetch": ("outgoing-handler",)}  # standard interfaces that a capability opens too

_log = logging.getLogger(__name__)


class Publishing:
    """Moves sessions on, one step at a time."""

    def __init__(self, registry: Registry, compiler: Compiler) -> None:
        self._registry = registry
        self._store = registry.store
        self._compiler = compiler
        self._verifier = Verifier(registry)
        self._depository = Depository(registry)
        self._uploads = Uploads(registry)
        self._steps: dict[UploadState, Callable[[Upload], Upload]] = {
            "uploaded": self._verify,
            "verified": self._compile,
            "compiled": self._register,
        }

    def run(self, upload: Upload) -> Upload:
        """Take a session as far as it goes now.

        Raises:
            OrielError: `unavailable`; the session is where the last finished step left it.
        """
        while upload.state not in TERMINAL_STATES:
            upload = self.step(upload)
        return upload

    def step(self, upload: Upload) -> Upload:
        """One step; the session as it is stored afterwards.

        Raises:
            OrielError: `unavailable`, to be tried again; `conflict`, where another publisher moved the session.
        """
        if upload.attempts >= MAX_ATTEMPTS:
            return self._reject(upload, (("internal", "", f"It failed {MAX_ATTEMPTS} times; ask the operator."),))
        upload = self._move(upload, attempts=upload.attempts + 1)
        try:
            return self._steps[upload.state](upload)
        except Rejected as rejected:
            return self._reject(upload, rejected.reasons)
        except OrielError as error:
            if error.status >= 500 and not isinstance(error, CompilerSlow):
                self._uncount(upload)
            raise

    # the steps

    def _verify(self, upload: Upload) -> Upload:
        manifest = self._verifier.verify(upload).bundle.manifest
        upload = replace(upload, extension_id=manifest.name, version=manifest.version)
        if self._is_published(upload):
            return self._finish(upload)
        return self._move(upload, state="verified", attempts=0)

    def _compile(self, upload: Upload) -> Upload:
        verified = self._verifier.verify(upload)
        try:
            compiled = self._compiler.compile(verified.bundle.component)
        except InvalidInput as error:
            raise Rejected(tuple(reasons(error))) from None
        if found := tuple(component_reasons(verified.bundle.manifest, compiled)):
            raise Rejected(found)
        self._claim(verified)
        self._depository.put_artifact(verified.bundle.component_digest, compiled)
        self._depository.put_bundle(verified, tuple(sorted(compiled.imports)), compiled.handler)
        warnings = tuple(component_warnings(verified.bundle.manifest, compiled))
        return self._move(upload, state="compiled", attempts=0, findings=warnings)

    def _register(self, upload: Upload) -> Upload:
        verified = self._verifier.verify(upload)
        self._claim(verified)
        fingerprint = current_fingerprint(fuel=self._compiler.fuel)
        if not self._depository.is_whole(upload.content_hash, verified.bundle.component_digest, fingerprint):
            return self._move(upload, state="verified", attempts=0)  # the collector came first, or another engine
        if not self._is_published(upload):
            try:
                extension, bundle, version = self._records(upload, verified)
                target = f"{version.extension_id} {version.version}"
                published = replace(version, manifest={})  # its content hash says what it is
                entry = entry_for(self._registry, upload.principal, "version.publish", target, after=published)
                self._store.create_version(extension, bundle, version, entry)
            except Conflict as error:
                # Somebody was faster: with the same bytes all is well, with others verifying again says so.
                if not self._is_published(upload):
                    self._verifier.verify(upload)
                    raise Rejected((("conflict", "", error.detail),)) from None
        return self._finish(upload)

    def _claim(self, verified: Verified) -> None:
        """Keep the collector away from what this publication deposits, until long after its version is written."""
        until = self._registry.now() + CLAIM_MS
        for name in claim_names(verified.bundle.content_hash, verified.bundle.component_digest):
            if not self._store.claim(name, PUBLISHER, until):
                raise OrielError("unavailable", f"The {name} is being collected.", retry_after=1)

    def _records(self, upload: Upload, verified: Verified) -> tuple[Extension, Bundle, Version]:
        bundle, manifest, now = verified.bundle, verified.bundle.manifest, self._registry.now()
        return (
            Extension(extension_id=manifest.name, publisher=manifest.publisher, created_at=now),
            Bundle(
                content_hash=bundle.content_hash,
                size=bundle.size,
                component_digest=bundle.component_digest,
                created_at=now,
            ),
            Version(
                extension_id=manifest.name,
                version=manifest.version,
                version_id=new_id("ver"),
                content_hash=bundle.content_hash,
                component_digest=bundle.component_digest,
                manifest=manifest.to_json(),
                publisher=manifest.publisher,
                signer_key_id=verified.signature.key_id,
                published_by=upload.principal,
                created_at=now,
            ),
        )

    # the session's record

    def _is_published(self, upload: Upload) -> bool:
        version = self._store.get_version(upload.extension_id or "", upload.version or "")
        return version is not None and version.content_hash == upload.content_hash

    def _move(self, upload: Upload, **changes: Any) -> Upload:
        moved = replace(upload, updated_at=self._registry.now(), revision=upload.revision + 1, **changes)
        self._store.replace_upload(moved)
        return moved

    def _finish(self, upload: Upload) -> Upload:
        finished = self._move(upload, state="ready", attempts=0)
        self._uploads.forget_staged(upload.upload_id)
        return finished

    def _reject(self, upload: Upload, findings: tuple[Reason, ...]) -> Upload:
        rejected = self._move(upload, state="rejected", findings=findings)
        self._uploads.forget_staged(upload.upload_id)
        return rejected

    def _uncount(self, upload: Upload) -> None:
        """An attempt that failed for want of a store is not the bundle's."""
        try:
            self._move(upload, attempts=upload.attempts - 1)
        except OrielError:
            _log.warning("an attempt at %s stays counted", upload.upload_id)


def component_reasons(manifest: Manifest, compiled: Compiled) -> Iterator[Reason]:
    """What the component imports beyond the platform's offer, and beyond what its manifest asks for.

    `wasi:http/outgoing-handler` needs `http.fetch`, and yet it may be imported without: toolchains import it for
    programs that never use it. It then answers `HTTP-request-denied`, like any grant that is missing.
    """
    for finding in import_findings(compiled.imports, importable()):
        yield "invalid_component", finding.at, finding.message
    for interface in sorted(compiled.imports):
        package, _, rest = interface.partition("/")
        capability = BY_INTERFACE.get(rest.partition("@")[0]) if package == WIT_PACKAGE else None
        if capability and not capability.always and capability.name not in manifest.asked:
            message = f"needs the capability {capability.name}, which the manifest does not ask for"
            yield "invalid_component", f"imports.{interface}", message


def component_warnings(manifest: Manifest, compiled: Compiled) -> Iterator[Reason]:
    """What the manifest asks for and the component never imports: tenants would consent to it for nothing.

    Components of `alga:extension` import what their toolchain keeps, which says nothing about what they use.
    """
    if compiled.handler == "alga":
        return
    imported = {interface.partition("/")[2].partition("@")[0] for interface in compiled.imports}
    for index, request in enumerate(manifest.capabilities):
        capability = CAPABILITIES[request.name]
        ways = {capability.interface, *WASI_WAYS.get(capability.name, ())}
        if capability.interface is not None and not capability.always and not ways & imported:
            message = f"asks for {capability.name}, which the component never imports; leave it out"
            yield "unused_capability", f"capabilities[{index}]", message
