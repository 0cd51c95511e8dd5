"""A new extension to begin with: a folder that builds, is tested, and does one small thing whole.

`templates/both` and the folder of the language are copied, with what stands between two `@` filled in. Rules kept
here: nothing that is there is overwritten, and nothing is written before the manifest is known to be valid.
"""

import html
import json
from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Literal

from msgspec import Struct

from oriel.errors import Finding, InvalidInput, OrielError
from oriel.manifest import Manifest

Language = Literal["python", "javascript"]
RUNTIMES: Mapping[Language, str] = {"python": "wasm-py@1", "javascript": "wasm-js@1"}
_TEMPLATES = Path(str(files("oriel.scaffold"))) / "templates"
_IGNORE = "gitignore"  # under its real name it would hold for the templates themselves
_ESCAPES: Mapping[str, Callable[[str], str]] = {
    ".json": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    ".html": html.escape,
}


class Created(Struct, frozen=True):
    """The manifest, and the files beside it, by their paths in the folder."""

    manifest: Manifest
    paths: tuple[Path, ...]


def create(folder: Path, name: str, language: Language, *, title: str = "") -> Created:
    """Write a new extension into `folder`, which is made where it is not there.

    Args:
        name: reverse domain; all but the last label is the publisher.
        title: by default made of the name's last label.

    Raises:
        InvalidInput: `invalid_manifest`, where the name or the title will not do.
        OrielError: `conflict`, where the folder has something in it.
    """
    publisher, _, last = name.rpartition(".")
    if not publisher:
        finding = Finding(
            "name", "must be a reverse domain such as com.acme.notes; what is before the last dot publishes"
        )
        raise InvalidInput("invalid_manifest", [finding], subject="The manifest")
    values = {
        "name": name,
        "publisher": publisher,
        "title": title or last.replace("-", " ").capitalize(),
        "runtime": RUNTIMES[language],
    }
    written = {path: _filled(path, text, values) for path, text in _texts(language).items()}
    manifest = Manifest.parse(written[Path("manifest.json")].encode())
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise OrielError("conflict", f"There is something at {folder} already.", hint="Name another folder.")
    for path, text in written.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return Created(manifest, tuple(written))


def _texts(language: Language) -> dict[Path, str]:
    """What is written, by its path; still with the places to fill in."""
    found = {}
    for root in (_TEMPLATES / "both", _TEMPLATES / language):
        for path in sorted(path for path in root.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
            place = path.relative_to(root)
            found[Path(".gitignore") if place.name == _IGNORE else place] = path.read_text(encoding="utf-8")
    return found


def _filled(path: Path, text: str, values: Mapping[str, str]) -> str:
    escape = _ESCAPES.get(path.suffix, str)
    for key, value in values.items():
        text = text.replace(f"@{key}@", escape(value))
    return text
