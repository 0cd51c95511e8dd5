"""What a bundle from a stranger may not hold."""

import io
import tarfile
from collections import deque

import pytest

from oriel.bundle import MAX_BUNDLE_BYTES, MAX_ENTRIES, content_hash, unpack
from oriel.bundle.frame import compress
from oriel.bundle.tar import BLOCK, read_tar, write_tar
from oriel.errors import InvalidInput, OrielError
from oriel.manifest import MAX_MANIFEST_BYTES
from tests.bundle.archives import END, bundle_with, entry, good_files, json_bytes, patched, tarred
from tests.support.bundles import EMPTY_COMPONENT, manifest_document


def refusal(data, code="invalid_bundle"):
    with pytest.raises(OrielError) as caught:
        unpack(data)
    assert caught.value.code == code
    return caught.value.detail


def bundle_of(**files):
    """A good bundle with some files changed, by their names; None takes one out."""
    changed = {**good_files(), **files}
    return compress(write_tar({name: data for name, data in changed.items() if data is not None}))


def test_a_bundle_comes_apart_into_its_files():
    data = bundle_of(**{"ui/a/b.js": b"1"})
    bundle = unpack(data)
    assert bundle.manifest.name == "com.acme.reports"
    assert bundle.component == EMPTY_COMPONENT
    assert bundle.component_digest == content_hash(EMPTY_COMPONENT)
    assert bundle.ui == {"index.html": b"<!doctype html>", "a/b.js": b"1"}
    assert (bundle.sbom, bundle.size, bundle.content_hash) == (None, len(data), content_hash(data))


def test_a_file_is_read_like_its_bytes():
    assert unpack(io.BytesIO(bundle_of())) == unpack(bundle_of())


# names


@pytest.mark.parametrize(
    "name",
    [
        "ui/../x",
        "../x",
        "ui/..",
        "ui/./x",
        "/ui/x",
        "//ui/x",
        "ui//x",
        "ui\\x",
        "C:/x",
        "c:x",
        "ui/a:b",
        "ui/x ",
        "ui/ x",
        "ui/\x01",
        "ui/a\nb",
        "ui/.htaccess",
        ".git/config",
        "ui/",
        "ui/ä.html",
        "ui/a\u0308.html",
        "ui/\u202e",
        "ui/%2e%2e/x",
        "ui/a;b",
        "ui/a?b",
        "ui/a#b",
        "ui/" + "a" * 99 + "/" + "b" * 99,
    ],
)
def test_a_name_that_could_lead_elsewhere_is_refused(name):
    assert refusal(bundle_with(entry(name, b"x"))).startswith("The entry ")


def test_bytes_after_a_nul_in_a_name_are_refused():
    detail = refusal(bundle_with(patched(entry("ui/x.html"), 9, b"\0../evil")))
    assert detail == "The entry 'ui/x.html' has a header in another form than the one of 'oriel pack'."


def test_names_that_differ_only_in_case_are_refused():
    assert "ui/index.html: differs from ui/Index.html only in case" in refusal(bundle_of(**{"ui/Index.html": b""}))


def test_folders_that_differ_only_in_case_are_not_mixed_up_with_files():
    assert "ui/A/x: lies in ui/a, which is a file" in refusal(bundle_of(**{"ui/a": b"", "ui/A/x": b""}))


def test_a_file_is_not_also_a_folder():
    assert "ui/a/b: lies in ui/a, which is a file" in refusal(bundle_of(**{"ui/a": b"", "ui/a/b": b""}))


def test_a_name_of_64_kb_is_refused():
    assert "a GNU long name" in refusal(bundle_with(entry("ui/" + "a" * 65_536, form=tarfile.GNU_FORMAT)))
    assert "a PAX record" in refusal(bundle_with(entry("ui/" + "a" * 65_536, form=tarfile.PAX_FORMAT)))


def test_a_long_name_in_two_fields_is_taken_as_one():
    name = "ui/" + "a" * 90 + "/" + "b" * 90
    assert unpack(bundle_of(**{name: b"x"})).ui[name.removeprefix("ui/")] == b"x"


def test_a_name_split_at_another_slash_is_refused():
    usual = entry("ui/x/y/" + "c" * 95 + "/d")
    assert usual[345:352] == b"ui/x/y/"[:4] + bytes(3)
    other = patched(patched(usual, 345, b"ui/x/y\0"), 0, b"c" * 95 + b"/d" + bytes(3))
    assert "another form" in refusal(bundle_with(other))


# kinds of entries


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        (tarfile.SYMTYPE, "a symbolic link"),
        (tarfile.LNKTYPE, "a hard link"),
        (tarfile.CHRTYPE, "a character device"),
        (tarfile.BLKTYPE, "a block device"),
        (tarfile.FIFOTYPE, "a FIFO"),
        (tarfile.DIRTYPE, "a directory"),
        (tarfile.GNUTYPE_SPARSE, "a sparse file"),
        (tarfile.XHDTYPE, "a PAX record"),
        (tarfile.XGLTYPE, "a PAX record"),
        (tarfile.GNUTYPE_LONGNAME, "a GNU long name"),
        (tarfile.GNUTYPE_LONGLINK, "a GNU long link"),
    ],
)
@pytest.mark.parametrize("target", ["manifest.json", "/etc/passwd", "../../x"])
def test_only_regular_files_are_taken(kind, what, target):
    assert what in refusal(bundle_with(entry("ui/x", type=kind, linkname=target)))


@pytest.mark.parametrize("kind", [tarfile.AREGTYPE, tarfile.CONTTYPE, b"V", b"M", b"N", b"D", b"\xff"])
def test_other_kinds_of_entries_are_refused(kind):
    assert "another form" in refusal(bundle_with(entry("ui/x", type=kind)))


@pytest.mark.parametrize("override", [{"path": "../../evil"}, {"size": "0"}, {"GNU.sparse.realsize": "9" * 12}])
def test_pax_overrides_are_refused(override):
    assert "a PAX record" in refusal(bundle_with(entry("ui/x", b"x", form=tarfile.PAX_FORMAT, pax_headers=override)))


@pytest.mark.parametrize(
    "fields",
    [{"mode": 0o4755}, {"mode": 0o600}, {"mtime": 1}, {"uid": 1}, {"gid": 1}, {"uname": "root"}, {"linkname": "x"},
     {"devmajor": 1, "type": b"0"}],
)  # fmt: skip
def test_a_header_says_nothing_but_name_and_size(fields):
    block = entry("ui/x", **fields)
    if "devmajor" in fields:
        block = patched(block, 329, b"0000001\0")
    assert "another form" in refusal(bundle_with(block))


def test_a_gnu_header_is_refused():
    assert "another form" in refusal(bundle_with(entry("ui/x", form=tarfile.GNU_FORMAT)))


def test_a_wrong_checksum_is_refused():
    block = bytearray(entry("ui/x"))
    block[148] ^= 1
    assert "another form" in refusal(bundle_with(bytes(block)))


@pytest.mark.parametrize(
    "size", [b"\x80" + b"\xff" * 11, b"-0000000001\0", b"77777777777\0", b" 0000000000\0", b"0o000000000\0"]
)
def test_a_strange_size_is_refused(size):
    assert refusal(bundle_with(patched(entry("ui/x"), 124, size)))


def test_a_size_beyond_the_archive_is_refused():
    block = entry("ui/x", b"")
    assert "ends in the middle" in refusal(bundle_with(patched(block, 124, b"%011o\0" % 100_000_000)))


# sets of entries


def test_two_manifests_are_refused():
    document = manifest_document(name="com.acme.other")
    detail = refusal(bundle_with(entry("manifest.json", json_bytes(document))))
    assert detail == "The entry 'manifest.json' stands after 'ui/index.html'; names must ascend."


def test_an_entry_that_stands_twice_is_refused():
    assert "'ui/index.html' stands twice" in refusal(bundle_with(entry("ui/index.html", b"other")))


def test_a_hundred_thousand_entries_are_not_read_to_their_end():
    source = io.BytesIO(b"".join(entry(f"ui/{number:06}") for number in range(100_000)) + END)
    with pytest.raises(OrielError, match=f"more than {MAX_ENTRIES:,} files"):
        deque(read_tar(source, max_size={}, default_max_size=1), maxlen=0)
    assert source.tell() == (MAX_ENTRIES + 1) * BLOCK


@pytest.mark.parametrize(
    "name", ["evil.sh", "dist/other.wasm", "dist/main.js", "node_modules/x", "uix/y", "Manifest.json", "ui"]
)
def test_what_has_no_place_is_refused_by_its_name(name):
    assert f"The entry '{name}'" in refusal(bundle_of(**{name: b""}))


@pytest.mark.parametrize("name", ["dist/main.cwasm", "ui/x.cwasm", "ui/X.CWASM"])
def test_native_code_is_refused(name):
    assert "is native code" in refusal(bundle_of(**{name: b"\x7fELF"}))


@pytest.mark.parametrize(
    "component", [b"", b"\x7fELF\x02\x01\x01\0", b"\0asm\x01\0\0\0", b"\0asm", b"\0asm\x0c\0\x01\0"]
)
def test_a_component_that_is_none_is_refused(component):
    assert refusal(bundle_of(**{"dist/main.wasm": component}), "invalid_component")


def test_a_nested_archive_is_only_bytes():
    nested = bundle_of()
    assert unpack(bundle_of(**{"ui/nested.tar.zst": nested})).ui["nested.tar.zst"] == nested


@pytest.mark.parametrize("name", ["dist/main.wasm", "ui/index.html"])
def test_a_missing_file_is_named(name):
    assert f"{name}: is missing" in refusal(bundle_of(**{name: None}))


def test_a_bundle_without_a_manifest_is_refused():
    assert refusal(bundle_of(**{"manifest.json": None})) == "The bundle holds no manifest.json."


def test_every_missing_and_unexpected_file_is_reported_at_once():
    manifest = json_bytes(
        manifest_document(
            sbom="sbom.spdx.json", assets=["ui/*.html"], ui={"hooks": {"appMenu": [{"label": "x", "icon": "ui/i.svg"}]}}
        )
    )
    with pytest.raises(InvalidInput) as caught:
        unpack(bundle_of(**{"manifest.json": manifest, "ui/app.js": b""}))
    assert [str(finding) for finding in caught.value.findings] == [
        "sbom.spdx.json: is missing; the manifest names it as sbom",
        "ui/i.svg: is missing; the manifest names it in ui.hooks.appMenu",
        "ui/app.js: is matched by none of the manifest's assets",
    ]


def test_an_sbom_that_the_manifest_does_not_name_is_refused():
    assert "is not named in the manifest" in refusal(bundle_of(**{"sbom.spdx.json": b"{}"}))


def test_an_invalid_manifest_is_refused_with_its_findings():
    manifest = json_bytes(manifest_document(version="1"))
    assert "version: is not a semantic version" in refusal(bundle_of(**{"manifest.json": manifest}), "invalid_manifest")


def test_a_manifest_of_100_mb_is_refused_before_it_is_read():
    block = patched(entry("manifest.json"), 124, b"%011o\0" % 100_000_000)
    detail = refusal(compress(entry("dist/main.wasm", EMPTY_COMPONENT) + block))
    assert detail == f"The entry 'manifest.json' has 100,000,000 bytes; at most {MAX_MANIFEST_BYTES:,} are allowed."


# the archive's end


@pytest.mark.parametrize("end", [b"", bytes(BLOCK), bytes(BLOCK - 1)])
def test_an_archive_without_its_end_is_refused(end):
    assert refusal(bundle_with(end=end)) == "The archive ends in the middle of an entry."


@pytest.mark.parametrize("end", [END + b"x", END + bytes(BLOCK), bytes(BLOCK) + entry("ui/x")])
def test_bytes_after_the_archives_end_are_refused(end):
    assert refusal(bundle_with(end=end)) == "The archive has bytes after its end."


def test_bytes_in_the_padding_are_refused():
    hidden = entry("ui/x", b"x")[:-3] + b"abc"
    assert "bytes that belong to nothing" in refusal(bundle_with(hidden))


@pytest.mark.parametrize("length", [1, 200, BLOCK, BLOCK + 3, 3 * BLOCK])
def test_an_archive_cut_anywhere_is_refused(length):
    assert refusal(compress(write_tar(good_files())[:length]))


@pytest.mark.parametrize("archive", [b"", b"x", b"PK\x03\x04", tarred(good_files(), format=tarfile.PAX_FORMAT)])
def test_what_is_no_archive_of_ours_is_refused(archive):
    assert refusal(compress(archive))


def test_an_upload_over_the_bound_is_refused_without_reading_it_all():
    class Endless(io.RawIOBase):
        taken = 0

        def read(self, size=-1):
            self.taken += size
            return bytes(size)

    source = Endless()
    assert "64,000,000" in refusal(source, "bundle_too_large")
    assert source.taken == MAX_BUNDLE_BYTES + 1
