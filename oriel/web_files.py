"""The browser libraries as files: `web/<name>.js`, which is what is loaded, and the modules in `web/<name>/`.

Their path under `web/` is their path under `/oriel/`, wherever they are served from.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

LibraryName = Literal["host", "guest", "preview", "console"]
SERVED_SUFFIXES = frozenset({".js", ".css"})


def library_files(name: LibraryName) -> Iterator[tuple[str, Path]]:
    """Path under `/oriel/` and file, of all that is served; what is loaded first comes last.

    Raises: `FileNotFoundError` where the library is not there, which is a broken installation.
    """
    root = web_root()
    entry = root / f"{name}.js"
    if not entry.is_file():
        raise FileNotFoundError(entry)
    for path in (*sorted((root / name).rglob("*")), entry):
        if path.suffix in SERVED_SUFFIXES:
            yield path.relative_to(root).as_posix(), path


def web_root() -> Path:
    """`web/` of a checkout, or the copy inside the installed package."""
    package = Path(__file__).parent
    installed = package / "_data" / "web"
    return installed if installed.is_dir() else package.parent / "web"
