"""The documentation against the code: pages are current, links lead somewhere, commands and settings exist."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from oriel.build.tools import CACHE_VARIABLE
from oriel.cli import commands
from oriel.manifest import Manifest
from oriel.settings import Settings, variable
from oriel.signing import TrustBundle

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "oriel" / "scaffold" / "templates"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted(TEMPLATES.rglob("*.md"))]
SETTINGS_PAGE = ROOT / "docs" / "guides" / "operator.md"
SECURITY_PAGE = ROOT / "docs" / "security.md"
TRUST_BUNDLE = "SIGNING_TRUST_BUNDLE"

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^()\s]+)\)")
_VARIABLE = re.compile(rf"\bORIEL_[A-Z_]*[A-Z]\b|\b{TRUST_BUNDLE}\b")

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def blocks(page: Path, *languages: str) -> list[str]:
    return [text for language, text in _FENCE.findall(page.read_text()) if language in languages]


def prose(page: Path) -> str:
    return _FENCE.sub("", page.read_text())


# reference pages


def test_the_reference_pages_are_those_of_the_code():
    checked = subprocess.run(
        [sys.executable, "tools/reference.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


# links


def anchors(page: Path) -> set[str]:
    """As the forges make them of headings."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pages
def test_every_relative_link_leads_somewhere(page):
    broken = []
    for link in _LINK.findall(prose(page)):
        path, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", link):
            continue
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_every_test_that_the_security_model_names_is_there():
    named = set(re.findall(r"`(tests/[\w/]+\.py)`", SECURITY_PAGE.read_text()))
    assert named
    assert {name for name in named if not (ROOT / name).is_file()} == set()


def test_every_threat_of_the_security_model_names_a_test():
    threats = SECURITY_PAGE.read_text().partition("## Threats")[2].partition("## What remains")[0]
    rows = [row for row in threats.splitlines() if row.startswith("| ") and not row.startswith("| threat |")]
    assert rows
    assert [row for row in rows if "`tests/" not in row] == []


# commands


def command_lines(shell: str) -> Iterator[list[str]]:
    """Every `oriel …` of a shell block, as arguments; those in `$(…)` too."""
    text = shell.replace("\\\n", " ")
    for inner in re.findall(r"\$\(([^()]*)\)", text):
        yield from command_lines(inner)
    for words in _lines(re.sub(r"\$\([^()]*\)", "X", text)):
        for part in _split(words):
            arguments = [word for index, word in enumerate(part) if index or word != "$"]
            while arguments and re.fullmatch(r"[A-Z_]+=.*", arguments[0]):
                arguments = arguments[1:]
            if arguments[:1] == ["oriel"]:
                yield arguments[1:]


def _lines(text: str) -> Iterator[list[str]]:
    """The words of each line; one that ends within quotes goes on."""
    begun = ""
    for line in text.splitlines():
        begun += line + "\n"
        try:
            words = shlex.split(begun, comments=True)
        except ValueError:  # an open quote
            continue
        yield words
        begun = ""
    assert not begun, f"a quote is not closed: {begun}"


def _split(words: list[str]) -> Iterator[list[str]]:
    part: list[str] = []
    for word in [*words, ";"]:
        if word in {"&&", "||", "|", ";", "&", ">", "<", "2>"}:
            yield part
            part = []
        elif word.endswith(";"):
            yield [*part, word[:-1]]
            part = []
        else:
            part.append(word)


def mistake(arguments: list[str]) -> str | None:
    """What is wrong with a command line: the command, an option, the number of arguments. None is nothing."""
    command, context = commands(), None
    while hasattr(command, "commands"):
        context = command.make_context(command.name, [], parent=context, resilient_parsing=True)
        name, *arguments = arguments or [""]
        if name == "--version":
            return None
        if name not in command.commands:
            return f"there is no command {name!r}"
        command = command.commands[name]
    context = command.make_context(command.name, [], parent=context, resilient_parsing=True)
    context.resilient_parsing = False  # from here on mistakes are told; nothing is looked up or run
    try:
        given, rest, _ = command.make_parser(context).parse_args(list(arguments))
    except Exception as error:
        return str(error)
    required = [parameter.name for parameter in command.params if parameter.required]
    missing = [name for name in required if not given.get(name) and "help" not in given]
    return f"{missing[0]} is missing" if missing else f"{rest} is too much" if rest else None


@pages
def test_every_command_of_the_shell_blocks_exists(page):
    mistakes = {
        shlex.join(["oriel", *arguments]): found
        for shell in blocks(page, "sh", "bash", "shell", "console")
        for arguments in command_lines(shell)
        if (found := mistake(arguments))
    }
    assert mistakes == {}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("install com.acme.reports --grant storage.kv --grant-all", None),
        ("publisher revoke com.acme --key-id sha256:ab", None),
        ("instal com.acme.reports", "there is no command"),
        ("install com.acme.reports --grants storage.kv", "--grants"),
        ("install", "extension is missing"),
        ("enable com.acme.reports 1.0.0", "too much"),
        ("keygen --out", "--out"),
    ],
)
def test_a_mistaken_command_would_be_found(line, expected):
    found = mistake(line.split())
    assert found is None if expected is None else expected in (found or "")


def test_commands_are_found_wherever_they_stand_in_a_line():
    shell = (
        "ORIEL_TENANT=a oriel installs && oriel usage | head  # oriel no\nx=$(oriel token)\n$ oriel sign \\\n  --key k"
    )
    assert sorted(command_lines(shell)) == [["installs"], ["sign", "--key", "k"], ["token"], ["usage"]]


# manifests


@pages
def test_every_manifest_example_is_valid(page):
    for example in blocks(page, "json"):
        if '"manifest_version"' in example:
            Manifest.parse(example.encode())


def test_there_are_manifest_examples():
    assert any('"manifest_version"' in example for page in PAGES for example in blocks(page, "json"))


# the trust bundle


def test_the_trust_bundle_of_the_operators_guide_can_be_read():
    examples = [text for text in blocks(SETTINGS_PAGE, "text") if "-----BEGIN" in text]
    assert len(examples) == 1
    TrustBundle.from_pem(examples[0])


# settings


def setting_names() -> dict[str, str]:
    """Environment variable to field."""
    return {variable(name): name for name in Settings.__struct_fields__}


def command_line_names() -> set[str]:
    """The variables that stand for options."""

    def walk(command):
        for child in getattr(command, "commands", {}).values():
            yield from walk(child)
        yield from (parameter.envvar for parameter in command.params if parameter.envvar)

    return set(walk(commands()))


@pages
def test_every_variable_named_exists(page):
    known = setting_names().keys() | command_line_names() | {CACHE_VARIABLE}
    assert set(_VARIABLE.findall(page.read_text())) - known == set()


def settings_table() -> dict[str, str]:
    """Variable to what stands in the column of defaults, as Markdown."""
    return dict(re.findall(r"^\| `(ORIEL_\w+|SIGNING_\w+)` \|([^|]*)\|", SETTINGS_PAGE.read_text(), re.MULTILINE))


def settings() -> dict[str, object]:
    """Variable to default; `msgspec.NODEFAULT` where the default depends on the machine."""
    return {variable(setting.name): setting.default for setting in msgspec.structs.fields(Settings)}


def test_the_settings_table_has_every_setting_and_its_default():
    plain = {name: default for name, default in settings().items() if default is not msgspec.NODEFAULT}
    expected = {name: "" if default in {(), ""} else f"`{default}`" for name, default in plain.items()}
    told = {name: cell.strip() for name, cell in settings_table().items() if name in plain or name not in settings()}
    assert told == expected


def test_a_default_that_depends_on_the_machine_is_told_in_words():
    told = {
        name: settings_table()[name].strip() for name, default in settings().items() if default is msgspec.NODEFAULT
    }
    assert told
    assert {name for name, words in told.items() if not words or "`" in words} == set()


def test_every_variable_of_the_command_line_is_told():
    assert command_line_names() <= set(_VARIABLE.findall(SETTINGS_PAGE.read_text()))


def test_json_examples_of_answers_are_json():
    for example in blocks(ROOT / "docs" / "reference" / "http.md", "json"):
        json.loads(example)
