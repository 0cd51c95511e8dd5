"""The reference of the browser libraries as Markdown, from what `tools/web/describe.mjs` has found out about them."""

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

INTRO = """<!-- Made by tools/web_types.py; do not edit. -->

# Browser libraries

Plain ES modules without dependencies and without a build step. The product imports `/oriel/host.js` from the product
origin, an extension's page imports `/oriel/guest.js` and `/oriel/guest/components.js` from the UI origin. TypeScript
declarations are in `web/types`; `oriel types` puts them where an editor finds them.

| from | import |
|---|---|
"""


def page(modules: list[Json]) -> str:
    """The reference of all modules."""
    rows = "".join(_row(_code(f"/oriel/{module['entry']}"), ", ".join(_names(module))) for module in modules)
    return INTRO + rows + "\n" + "\n".join(line for module in modules for line in _module(module))


def _names(module: Json) -> list[str]:
    return [_code(one["name"]) for one in module["exports"] if one["kind"] != "type"]


def _module(module: Json) -> Iterator[str]:
    yield f"## `/oriel/{module['entry']}`\n"
    yield _prose(module["head"]) + "\n"
    order = {"function": 0, "value": 1, "class": 2, "type": 3}
    for one in sorted(module["exports"], key=lambda export: order[export["kind"]]):
        yield from {"function": _function, "class": _class, "type": _type, "value": _value}[one["kind"]](one)


def _function(one: Json) -> Iterator[str]:
    yield f"### `{_call(one)}`\n"
    yield from _said(one)
    yield from _thrown(one)


def _value(one: Json) -> Iterator[str]:
    yield f"### `{one['name']}`\n"
    yield f"{one['doc'] or 'The one instance'}: [`{one['type']}`](#{one['type'].lower()}).\n"


def _class(one: Json) -> Iterator[str]:
    yield f"### `<{one['element']}>`\n" if one["element"] else f"### `{one['name']}`\n"
    yield from _said(one)
    rows = list(_element_rows(one["tags"]))
    if rows:
        yield "| | | |\n|---|---|---|\n" + "".join(rows)
    members = [member for member in one["members"] if member["doc"]]
    if members:
        yield "| member | |\n|---|---|\n" + "".join(_member(member) for member in members)


def _element_rows(tags: list[Json]) -> Iterator[str]:
    for tag in tags:
        if tag["name"] in {"attr", "prop"}:
            kind, rest = _typed(tag["text"])
            name, _, said = rest.partition(" ")
            what = "attribute" if tag["name"] == "attr" else "property"
            yield _row(what, f"{_code(name)} {_code(kind)}", _cell(said))
        elif tag["name"] in {"fires", "slot"}:
            name, _, said = tag["text"].partition(" ") if tag["name"] == "fires" else ("", "", tag["text"])
            yield _row("event" if name else "content", _code(name), _cell(said))


def _typed(text: str) -> tuple[str, str]:
    """`{type} rest` in its parts."""
    if not text.startswith("{"):
        return "", text
    kind, _, rest = text[1:].partition("}")
    return kind, rest.strip()


def _member(member: Json) -> str:
    shown = _call(member) if "parameters" in member else f"{member['name']}: {member['type']}"
    said = [member["doc"]] + [f"`{_param(tag)[0]}`: {_param(tag)[1]}" for tag in member["tags"] if _is_said(tag)]
    thrown = [f"Throws {_thrown_by(tag)}" for tag in member["tags"] if tag["name"] == "throws"]
    return _row(_code(shown), _cell(". ".join(part.rstrip(".") for part in (*said, *thrown))))


def _type(one: Json) -> Iterator[str]:
    yield f"### `{one['name']}`\n"
    yield from _said(one)
    if one["type"]:
        yield f"```ts\n{one['type']}\n```\n"
    if one["fields"]:
        rows = (_row(*_field(field)) for field in one["fields"])
        yield "| field | type | |\n|---|---|---|\n" + "".join(rows)


def _field(field: Json) -> tuple[str, str, str]:
    return _code(field["name"] + ("?" if field["optional"] else "")), _code(field["type"]), _cell(field["doc"])


def _call(one: Json) -> str:
    named = ", ".join(f"{each['name']}{'?' if each['optional'] else ''}" for each in one["parameters"])
    return f"{one['name']}({named}): {one['returns']}"


def _said(one: Json) -> Iterator[str]:
    if one["doc"]:
        yield _prose(one["doc"]) + "\n"


def _thrown(one: Json) -> Iterator[str]:
    for tag in one["tags"]:
        if _is_said(tag):
            name, said = _param(tag)
            yield f"- `{name}`: {said}"
        elif tag["name"] == "throws":
            yield f"- throws {_thrown_by(tag)}"
    yield ""


def _thrown_by(tag: Json) -> str:
    kind, said = _typed(tag["text"])
    return f"{_code(kind)} {said}".strip()


def _is_said(tag: Json) -> bool:
    return tag["name"] == "param" and bool(_param(tag)[1])


def _param(tag: Json) -> tuple[str, str]:
    name, _, said = tag["text"].partition(" ")
    return name, said.strip()


def _prose(text: str) -> str:
    """A comment as Markdown: what is indented is code."""
    lines = [f"    {line.strip()}" if line.startswith("    ") else line.strip() for line in text.splitlines()]
    return "\n".join(lines)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"


def _code(text: str) -> str:
    return f"`{_escaped(text)}`" if text else ""


def _cell(text: str) -> str:
    return _escaped(" ".join(text.split()))


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")
