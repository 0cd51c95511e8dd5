"""Guards over every file that git tracks: what no linter of one language sees.

- no bidirectional control characters and no invisible ones (the "Trojan Source" class of attacks);
- no private keys, cloud keys or tokens;
- no test that is skipped or expected to fail: a missing part is an error that says what to install;
- no address of a package index: the locks must work with any mirror.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

INVISIBLE = re.compile("[\u202a-\u202e\u2066-\u2069\u200b\u200e\u200f\u2060-\u2064\ufeff\u00ad]")
SECRETS = {
    "a private key": re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----\s*\n\s*[A-Za-z0-9+/=]{16}"),
    "an AWS access key id": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "a GitHub token": re.compile(r"\bgh[pousr]_[A-Za-z0-9]{36,}\b"),
    "a signed token": re.compile(r"\beyJ[A-Za-z0-9_-]{20,}\.eyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}\b"),
}
SKIPPED = re.compile(
    r"pytest\.(?:mark\.)?(?:skip|skipif|xfail|importorskip)\b|unittest\.skip|\b(?:test|it|describe)\.(?:skip|todo)\("
)
INDEX = re.compile(r"(?:files\.)?pythonhosted\.org|//pypi\.org/simple|registry\.npmjs\.org|deb\.debian\.org")


def tracked() -> Iterator[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], check=True, capture_output=True
    )
    yield from (path for name in listed.stdout.decode().split("\0") if name and (path := Path(name)).is_file())


def findings(path: Path, text: str) -> Iterator[str]:
    if path == Path("tools/guards.py"):
        return
    for number, line in enumerate(text.splitlines(), 1):
        if found := INVISIBLE.search(line):
            yield f"{path}:{number}: invisible or bidirectional U+{ord(found.group()):04X}; write it as an escape"
        if path.suffix in {".py", ".js", ".mjs"} and SKIPPED.search(line):
            yield f"{path}:{number}: a skipped test; make it run, or make its missing part an error"
        if INDEX.search(line):
            yield f"{path}:{number}: the address of a package index; leave it out"
    for what, pattern in SECRETS.items():
        if found := pattern.search(text):
            yield f"{path}:{text.count(chr(10), 0, found.start()) + 1}: {what}; remove it and revoke it"


def main() -> int:
    wrong, read = [], 0
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        read += 1
        wrong += findings(path, text)
    print(*wrong, sep="\n", end="\n" if wrong else "")
    print(f"Guards: {read} files, {len(wrong)} findings")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
