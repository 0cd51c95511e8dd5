import io
import json
import os
import socket
import tarfile

import pytest
import zstandard

from oriel.bundle import content_hash, pack, unpack
from oriel.errors import InvalidInput, OrielError
from tests.support.bundles import EMPTY_COMPONENT, make_bundle_tree, make_signed_bundle


def names_in(data):
    with tarfile.open(fileobj=io.BytesIO(zstandard.decompress(data))) as archive:
        return archive.getnames()


def refusal(source, code="invalid_bundle"):
    with pytest.raises(OrielError) as caught:
        pack(source)
    assert caught.value.code == code
    return caught.value.detail


@pytest.fixture
def tree(tmp_path):
    return make_bundle_tree(tmp_path / "project")


def test_what_is_packed_unpacks_to_the_same_files(tmp_path):
    ui = {"index.html": b"<p>", "assets/app-4f2a.js": b"1", "a/(group)/[id]/page.js": b""}
    packed = pack(make_bundle_tree(tmp_path, ui=ui, component=EMPTY_COMPONENT + bytes(5_000)))
    bundle = unpack(packed.data)
    assert bundle.ui == ui
    assert bundle.component == EMPTY_COMPONENT + bytes(5_000)
    assert bundle.manifest == packed.manifest
    assert bundle.content_hash == packed.content_hash == content_hash(packed.data)


def test_the_same_tree_gives_the_same_bytes(tmp_path):
    ui = {f"{letter}/{number}.js": letter.encode() for letter in "zaM" for number in range(20)} | {"index.html": b""}
    first = make_bundle_tree(tmp_path / "one", ui=ui)
    second = make_bundle_tree(tmp_path / "two", ui=dict(reversed(ui.items())))
    for path in second.rglob("*"):
        os.utime(path, (1, 1))
        path.chmod(0o700)
    assert pack(first).data == pack(second).data


def test_a_bundle_is_an_ordinary_tar_for_ordinary_tools(tree):
    assert names_in(pack(tree).data) == ["dist/main.wasm", "manifest.json", "ui/index.html"]


def test_a_changed_byte_gives_another_hash(tree):
    before = pack(tree).content_hash
    (tree / "ui" / "index.html").write_bytes(b"other")
    assert pack(tree).content_hash != before


def test_what_is_not_part_of_a_bundle_is_left_out(tree):
    for name in ["src/app.py", "dist/main.js", "node_modules/x/y.js", ".git/config", "ui/.DS_Store", "ui/.git/config",
                 "dist/bundle.tar.zst", "oriel-key.pem", "sbom.spdx.json"]:  # fmt: skip
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_bytes(b"x")
    assert names_in(pack(tree).data) == ["dist/main.wasm", "manifest.json", "ui/index.html"]


@pytest.mark.parametrize(
    ("globs", "taken"),
    [
        (["ui/**"], {"index.html", "a/b/c.js", "a/x.css", "app.js"}),
        (["ui/*"], {"index.html", "app.js"}),
        (["ui/index.html", "ui/**/*.js"], {"index.html", "a/b/c.js", "app.js"}),
        (["ui/*.html", "ui/?/x.css"], {"index.html", "a/x.css"}),
        (["ui/index.html", "ui/a/**"], {"index.html", "a/b/c.js", "a/x.css"}),
    ],
)
def test_assets_say_which_files_are_packed(tmp_path, globs, taken):
    ui = dict.fromkeys(["index.html", "a/b/c.js", "a/x.css", "app.js"], b"")
    assert unpack(pack(make_bundle_tree(tmp_path, ui=ui, assets=globs)).data).ui.keys() == taken


def test_a_glob_of_many_stars_ends(tmp_path):
    glob = "ui/" + "*a" * 60
    tree = make_bundle_tree(tmp_path, ui={"index.html": b"", "a" * 190 + "b": b""}, assets=["ui/index.html", glob])
    assert unpack(pack(tree).data).ui.keys() == {"index.html"}


def test_the_sbom_is_packed_where_the_manifest_names_it(tmp_path):
    tree = make_bundle_tree(tmp_path, sbom="sbom.spdx.json")
    (tree / "sbom.spdx.json").write_bytes(b'{"spdxVersion": "SPDX-2.3"}')
    assert unpack(pack(tree).data).sbom == b'{"spdxVersion": "SPDX-2.3"}'


def test_an_extension_without_a_ui_is_packed(tmp_path):
    tree = make_bundle_tree(tmp_path, ui={"left.over": b""}, assets=[])
    document = json.loads((tree / "manifest.json").read_text())
    del document["ui"]
    (tree / "manifest.json").write_text(json.dumps(document))
    assert unpack(pack(tree).data).ui == {}


def test_a_folder_without_a_manifest_is_named(tmp_path):
    assert refusal(tmp_path) == f"There is no manifest.json in {tmp_path}."


def test_every_missing_file_is_named_at_once(tree):
    (tree / "dist" / "main.wasm").unlink()
    (tree / "ui" / "index.html").unlink()
    with pytest.raises(InvalidInput) as caught:
        pack(tree)
    assert [str(finding) for finding in caught.value.findings] == [
        "dist/main.wasm: is missing; build it first: oriel build",
        "ui/index.html: is missing; the manifest names it as ui.entry",
    ]


def test_a_manifest_with_mistakes_is_not_packed(tmp_path):
    assert "2 mistakes" in refusal(make_bundle_tree(tmp_path, version="1", runtime="x"), "invalid_manifest")


@pytest.mark.parametrize("name", ["manifest.json", "dist/main.wasm", "ui/index.html", "ui", "dist"])
def test_a_link_on_the_way_is_refused_by_its_path(tree, name):
    moved = tree / "elsewhere"
    (tree / name).rename(moved)
    (tree / name).symlink_to(moved)
    assert refusal(tree) == f"{tree / name} is a symbolic link; put the file itself there."


def test_a_dangling_or_circular_link_is_refused(tree):
    (tree / "ui" / "loop").symlink_to(tree / "ui")
    assert refusal(tree) == f"{tree / 'ui' / 'loop'} is a symbolic link; put the file itself there."
    (tree / "ui" / "loop").unlink()
    (tree / "ui" / "gone").symlink_to("nowhere")
    assert refusal(tree) == f"{tree / 'ui' / 'gone'} is a symbolic link; put the file itself there."


def test_a_pipe_is_refused_and_not_read(tree):
    os.mkfifo(tree / "ui" / "pipe")
    assert refusal(tree) == f"{tree / 'ui' / 'pipe'} is no regular file."


def test_a_socket_is_refused(tree, monkeypatch):
    monkeypatch.chdir(tree / "ui")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s")
        assert refusal(tree) == f"{tree / 'ui' / 's'} is no regular file."


@pytest.mark.parametrize("name", ["ü.html", "a b.html", "a\\b", "x;y"])
def test_a_name_that_no_bundle_may_hold_is_refused(tree, name):
    (tree / "ui" / name).write_bytes(b"")
    assert "may hold only letters, digits" in refusal(tree)


def test_names_that_differ_only_in_case_are_not_packed(tree):
    (tree / "ui" / "Index.html").write_bytes(b"")
    assert "only in case" in refusal(tree)


def test_a_core_module_is_not_packed(tmp_path):
    detail = refusal(make_bundle_tree(tmp_path, component=b"\0asm\x01\0\0\0"), "invalid_component")
    assert detail == "dist/main.wasm is a core module, not a component."


def test_a_signed_bundle_of_the_test_helpers_is_believed(tmp_path):
    signed = make_signed_bundle(tmp_path)
    assert unpack(signed.data).content_hash == signed.content_hash
