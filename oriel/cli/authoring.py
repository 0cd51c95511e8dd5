"""Commands of an author: keygen, build, pack, sign, verify. None of them needs the platform."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from oriel import bundle as bundles
from oriel import signing
from oriel.build import build as build_project
from oriel.cli.options import Json
from oriel.cli.output import out
from oriel.errors import OrielError
from oriel.settings import Settings

BUNDLE = Path("dist") / "bundle.tar.zst"
ENVELOPE_SUFFIX = ".dsse.json"

Project = Annotated[Path, typer.Argument(exists=True, file_okay=False, help="The folder of manifest.json.")]
BundleFile = Annotated[Path, typer.Argument(exists=True, help="A bundle, or the project it was packed from.")]


class KeyKind(StrEnum):
    ED25519 = "ed25519"
    ECDSA_P256 = "ecdsa-p256"
    RSA_PSS = "rsa-pss"


def bundle_path(path: Path) -> Path:
    """The bundle itself, where `path` names the project it was packed from."""
    found = path / BUNDLE if path.is_dir() else path
    if not found.is_file():
        raise OrielError("invalid_bundle", f"There is no bundle at {found}.", hint=f"Pack it: oriel pack {path}.")
    return found


def envelope_path(bundle: Path) -> Path:
    return bundle.with_name(bundle.name + ENVELOPE_SUFFIX)


def keygen(
    out_file: Annotated[Path, typer.Option("--out", "-o", help="Where the private key goes; .pub is added.")] = Path(
        "oriel-key.pem"
    ),
    kind: Annotated[KeyKind, typer.Option("--kind", help="The kind of key.")] = KeyKind.ED25519,
    passphrase: Annotated[
        str, typer.Option("--passphrase", envvar="ORIEL_KEY_PASSPHRASE", help="Encrypt the private key.")
    ] = "",
    json: Json = False,
) -> None:
    """Make a signing key: the private half (mode 0600) and, beside it, the public half to register."""
    key = signing.generate_key(kind.value)
    public = out_file.with_name(out_file.name + ".pub")
    _write_new(out_file, key.to_pem(passphrase or None), mode=0o600)
    _write_new(public, key.public.to_pem(), mode=0o644)
    out.result(
        {"key_id": key.key_id, "private": str(out_file), "public": str(public)},
        f"[bold]{key.key_id}[/]\nprivate  {out_file}   keep it\npublic   {public}   for the operator",
    )


def _write_new(path: Path, pem: str, *, mode: int) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        raise OrielError(
            "conflict", f"{path} is there already; a key is never overwritten.", hint="Name another file with --out."
        ) from None
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(pem)


def build(
    project: Project = Path(),
    cache: Annotated[bool, typer.Option(help="Take what the very same sources and tools gave before.")] = True,
    json: Json = False,
) -> None:
    """Build dist/main.wasm from the project's sources."""
    with out.progress("building") as progress:
        built = build_project(project, progress=progress, cache=cache)
    how = "as it was built before" if built.cached else f"in {built.seconds:.1f} s"
    out.result(
        {
            "component": str(built.component),
            "bytes": built.size,
            "seconds": round(built.seconds, 1),
            "cached": built.cached,
        },
        f"[bold]{built.component}[/]  {built.size:,} bytes, {how}",
    )


def pack(
    project: Project = Path(),
    out_file: Annotated[Path | None, typer.Option("--out", "-o", help="Default: dist/bundle.tar.zst.")] = None,
    json: Json = False,
) -> None:
    """Pack manifest, component and UI into a bundle. The same tree gives the same bytes everywhere."""
    packed = bundles.pack(project)
    target = out_file or project / BUNDLE
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(packed.data)
    name = f"{packed.manifest.name} {packed.manifest.version}"
    out.result(
        {"bundle": str(target), "content_hash": packed.content_hash, "bytes": len(packed.data), "name": name},
        f"[bold]{target}[/]  {name}, {len(packed.data):,} bytes\n{packed.content_hash}",
    )


def sign(
    bundle: BundleFile = Path(),
    key: Annotated[Path, typer.Option("--key", "-k", exists=True, dir_okay=False, help="The private key.")] = Path(
        "oriel-key.pem"
    ),
    passphrase: Annotated[str, typer.Option("--passphrase", envvar="ORIEL_KEY_PASSPHRASE")] = "",
    json: Json = False,
) -> None:
    """Sign a bundle: a DSSE envelope beside it."""
    path = bundle_path(bundle)
    signing_key = signing.SigningKey.from_pem(key.read_text(encoding="ascii"), passphrase or None)
    opened = bundles.unpack(path.read_bytes())
    envelope = signing.sign_bundle(
        opened.content_hash,
        signing_key,
        name=opened.manifest.name,
        version=str(opened.manifest.version),
        publisher=opened.manifest.publisher,
    )
    target = envelope_path(path)
    target.write_bytes(envelope)
    out.result(
        {"envelope": str(target), "content_hash": opened.content_hash, "key_id": signing_key.key_id},
        f"[bold]{target}[/]  signed with {signing_key.key_id}",
    )


def verify(
    bundle: BundleFile,
    trust: Annotated[
        Path | None, typer.Option("--trust", exists=True, dir_okay=False, help="PEM; default SIGNING_TRUST_BUNDLE.")
    ] = None,
    envelope: Annotated[Path | None, typer.Option("--envelope", help="Default: BUNDLE.dsse.json.")] = None,
    json: Json = False,
) -> None:
    """Check a bundle and its signature as the platform would."""
    path = bundle_path(bundle)
    opened = bundles.unpack(path.read_bytes())
    signature = envelope or envelope_path(path)
    if not signature.is_file():
        raise OrielError("signature_missing", f"There is no signature at {signature}.")
    pem = trust.read_text(encoding="utf-8") if trust else Settings.load().trust_bundle_pem()
    verified = signing.verify_bundle(
        signature.read_bytes(),
        content_hash=opened.content_hash,
        publisher=opened.manifest.publisher,
        name=opened.manifest.name,
        version=str(opened.manifest.version),
        trust=signing.TrustBundle.from_pem(pem),
    )
    out.result(
        {"content_hash": opened.content_hash, "key_id": verified.key_id, "publisher": opened.manifest.publisher},
        f"[bold green]good[/]  {opened.manifest.name} {opened.manifest.version}\n{opened.content_hash}\n"
        f"signed by {opened.manifest.publisher} with {verified.key_id}",
    )


def schema(json: Json = False) -> None:
    """Print the manifest's JSON Schema, for an editor."""
    from oriel.manifest import manifest_schema

    out.as_json = True
    out.result(manifest_schema(), "")


def register(app: typer.Typer) -> None:
    for command in (keygen, build, pack, sign, verify, schema):
        app.command(rich_help_panel="Authors")(command)
