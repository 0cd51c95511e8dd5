"""TypeScript's opinion of the browser libraries, their declarations, and the reference of their API.

python tools/web_types.py           check, and write web/types and docs/reference/browser.md
python tools/web_types.py --check   check; exit 1 where something is wrong or not current

What has been found good is remembered by its hash, so that a second check of the same files costs nothing.
"""

import hashlib
import json
import shutil
import sys
import tempfile
from pathlib import Path

from oriel.build.tools import cache_dir
from tools.web_reference import page
from tools.webtools import SOURCE, node, packages

ROOT = Path(__file__).resolve().parents[1]
WEB, TYPES, PAGE = ROOT / "web", ROOT / "web" / "types", ROOT / "docs" / "reference" / "browser.md"
CONSUMERS = (ROOT / "tests" / "web" / "types", ROOT / "examples" / "host-product" / "static", WEB / "console")


def main(check: bool) -> int:
    stamp = cache_dir() / "web-types" / _digest()
    if check and stamp.exists():
        return 0
    with tempfile.TemporaryDirectory(prefix="oriel-types-") as folder:
        types, api = Path(folder, "types"), Path(folder, "api.json")
        files = sorted(path for place in CONSUMERS for path in place.rglob("*"))
        consumers = [WEB / "console.js", *(path for path in files if path.suffix in {".ts", ".js"})]
        done = node(SOURCE / "describe.mjs", WEB, types, api, *consumers, cwd=packages())
        if done.returncode:
            print(done.stderr or done.stdout, file=sys.stderr)
            return 1
        made = {TYPES / path.relative_to(types): path.read_text() for path in sorted(types.rglob("*.d.ts"))}
        made[PAGE] = page(json.loads(api.read_text()))
    if not check:
        _write(made)
    if stale := _stale(made):
        print(*(f"{path.relative_to(ROOT)} is not current: run tools/web_types.py" for path in stale), sep="\n")
        return 1
    stamp = cache_dir() / "web-types" / _digest()
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.touch()
    return 0


def _digest() -> str:
    digest = hashlib.sha256()
    folders = (WEB, SOURCE, *CONSUMERS)
    files = sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())
    for path in (*files, Path(__file__), *([PAGE] if PAGE.exists() else [])):
        digest.update(f"{path.relative_to(ROOT)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:24]


def _stale(made: dict[Path, str]) -> list[Path]:
    kept = set(TYPES.rglob("*.d.ts")) | {PAGE}
    return sorted(
        (kept - made.keys()) | {path for path, text in made.items() if not path.exists() or path.read_text() != text}
    )


def _write(made: dict[Path, str]) -> None:
    shutil.rmtree(TYPES, ignore_errors=True)
    for path, text in made.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
