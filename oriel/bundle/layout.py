"""Which files belong in a bundle: the same answer when it is packed and when it is unpacked.

Rules kept here:

- There is a manifest and a component; every other file is named by the manifest: the SBOM by `sbom`, files under `ui/`
  by `assets`. What the manifest names is there.
- Native code has no place: only the platform compiles components. `dist/main.wasm` begins as a component does.
- No two names differ only in case, and no file is also a folder: they could not stand beside each other elsewhere.
"""

from collections.abc import Collection, Iterator, Mapping
from fnmatch import fnmatchcase

from oriel.errors import Finding, InvalidInput, OrielError
from oriel.manifest import MAX_MANIFEST_BYTES, Manifest

MANIFEST = "manifest.json"
COMPONENT = "dist/main.wasm"
SBOM = "sbom.spdx.json"
UI = "ui/"
NATIVE_SUFFIX = ".cwasm"
MAX_SBOM_BYTES = 16_000_000
MAX_SIZES: Mapping[str, int] = {MANIFEST: MAX_MANIFEST_BYTES, SBOM: MAX_SBOM_BYTES}

_COMPONENT_PREAMBLE = b"\0asm\x0d\0\x01\0"
_MODULE_PREAMBLE = b"\0asm\x01\0\0\0"


def place_problem(name: str) -> str | None:
    """Why no bundle holds a file of this name, whatever its manifest says; None where one may."""
    if name.lower().endswith(NATIVE_SUFFIX):
        return "is native code; ship the component, the platform compiles it"
    if name in {MANIFEST, COMPONENT, SBOM} or name.startswith(UI):
        return None
    return f"has no place in a bundle; there are {MANIFEST}, {COMPONENT}, {SBOM} and {UI}**"


def check_layout(names: Collection[str], manifest: Manifest) -> None:
    """Hold the names of all files against the manifest.

    Raises:
        InvalidInput: `invalid_bundle`, with every mistake and the file it is about.
    """
    if findings := [*_missing(names, manifest), *_unexpected(names, manifest), *_colliding(names)]:
        raise InvalidInput("invalid_bundle", findings, subject="The bundle")


def check_component(data: bytes) -> None:
    """Whether these bytes begin as a component does; whether they are one is the registry's to find out.

    Raises:
        OrielError: `invalid_component`.
    """
    if data.startswith(_MODULE_PREAMBLE):
        raise OrielError("invalid_component", f"{COMPONENT} is a core module, not a component.")
    if not data.startswith(_COMPONENT_PREAMBLE):
        raise OrielError("invalid_component", f"{COMPONENT} is not a WebAssembly component.")


def is_asset(name: str, manifest: Manifest) -> bool:
    """Whether one of the manifest's `assets` matches."""
    return any(_matches(glob.split("/"), name.split("/")) for glob in manifest.assets)


def _matches(glob: list[str], name: list[str]) -> bool:
    """`**` stands for any number of segments, at least one where it ends the pattern; it occurs once at most."""
    if "**" not in glob:
        return len(glob) == len(name) and all(map(fnmatchcase, name, glob))
    split = glob.index("**")
    head, tail = glob[:split], glob[split + 1 :]
    if len(name) < len(head) + max(len(tail), 1):
        return False
    return all(map(fnmatchcase, name, head)) and all(map(fnmatchcase, reversed(name), reversed(tail)))


def _missing(names: Collection[str], manifest: Manifest) -> Iterator[Finding]:
    wanted = {MANIFEST: "every bundle has one", COMPONENT: "build it first: oriel build"}
    if manifest.sbom:
        wanted[manifest.sbom] = "the manifest names it as sbom"
    if manifest.ui:
        wanted[manifest.ui.entry] = "the manifest names it as ui.entry"
        for place, hooks in manifest.ui.hooks.items():
            wanted |= {hook.icon: f"the manifest names it in ui.hooks.{place}" for hook in hooks if hook.icon}
    for name in sorted(wanted.keys() - set(names)):
        yield Finding(name, f"is missing; {wanted[name]}")


def _unexpected(names: Collection[str], manifest: Manifest) -> Iterator[Finding]:
    for name in sorted(names):
        if problem := place_problem(name):
            yield Finding(name, problem)
        elif name == SBOM and manifest.sbom is None:
            yield Finding(name, "is not named in the manifest; add 'sbom'")
        elif name.startswith(UI) and not is_asset(name, manifest):
            yield Finding(name, "is matched by none of the manifest's assets")


def _colliding(names: Collection[str]) -> Iterator[Finding]:
    folded: dict[str, str] = {}
    for name in sorted(names):
        if other := folded.get(name.lower()):
            yield Finding(name, f"differs from {other} only in case")
        folded[name.lower()] = name
    for name in sorted(names):
        parts = name.lower().split("/")
        for length in range(1, len(parts)):
            if other := folded.get("/".join(parts[:length])):
                yield Finding(name, f"lies in {other}, which is a file")
