"""What is the file store's own: links, modes, crashes, a disk that refuses."""

import os
import signal
import stat
import subprocess
import sys
import time

import pytest

from oriel.blobs import BlobMismatch, BlobMissing, BlobsUnavailable
from oriel.blobs.files import FileBlobs

KILLED_WHILE_WRITING = """
import os, signal, sys
from pathlib import Path
from oriel.blobs.files import FileBlobs
def chunks():
    yield b"x" * 100_000
    os.kill(os.getpid(), signal.SIGKILL)
FileBlobs(Path(sys.argv[1])).put_stream("staging/u1", chunks(), limit=1_000_000)
"""


@pytest.fixture
def root(tmp_path):
    return tmp_path / "blobs"


@pytest.fixture
def blobs(root):
    return FileBlobs(root)


def test_folders_are_private_and_files_read_only(blobs, root):
    blobs.put_new("a/b/c", b"1")
    assert {stat.S_IMODE(path.stat().st_mode) for path in (root, root / "a", root / "a/b")} == {0o700}
    assert stat.S_IMODE((root / "a/b/c").stat().st_mode) == 0o400


def test_a_symbolic_link_is_not_followed_at_any_step(blobs, root, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    (root / "link").symlink_to(outside)
    (root / "file").symlink_to(outside / "secret")
    for key in ("link/secret", "file"):
        with pytest.raises(BlobMissing):
            blobs.get(key)
        assert blobs.info(key) is None
    assert list(blobs.list("")) == []
    with pytest.raises(BlobMismatch):
        blobs.put_new("file", b"secret")
    with pytest.raises((BlobMismatch, BlobsUnavailable)):
        blobs.put_new("link/new", b"x")
    assert sorted(path.name for path in outside.iterdir()) == ["secret"]


def test_a_device_or_pipe_is_no_blob_and_nobody_waits_for_it(blobs, root):
    os.mkfifo(root / "pipe")
    assert blobs.info("pipe") is None
    with pytest.raises(BlobMissing):
        blobs.get("pipe")


def test_a_writer_that_is_killed_leaves_no_blob(blobs, root):
    child = subprocess.run([sys.executable, "-c", KILLED_WHILE_WRITING, str(root)], check=False, timeout=30)
    assert child.returncode == -signal.SIGKILL
    assert list(blobs.list("")) == []
    assert len(list((root / ".incoming").iterdir())) == 1


def test_what_killed_writers_left_is_swept_after_a_day(blobs, root):
    old, new = root / ".incoming/old", root / ".incoming/new"
    for path in (old, new):
        path.write_bytes(b"x")
    os.utime(old, (time.time() - 90_000,) * 2)
    FileBlobs(root)
    assert [path.name for path in (root / ".incoming").iterdir()] == ["new"]


def test_a_disk_that_refuses_is_unavailable(blobs, root):
    (root / "a").write_bytes(b"a file where a folder should be")
    with pytest.raises(BlobsUnavailable):
        blobs.put_new("a/b", b"1")
    assert list((root / ".incoming").iterdir()) == []


def test_a_lost_folder_is_unavailable(blobs, root):
    root.rename(root.with_name("gone"))
    with pytest.raises(BlobsUnavailable):
        blobs.put_new("a", b"1")


def test_a_folder_that_cannot_be_made_is_unavailable(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BlobsUnavailable):
        FileBlobs(tmp_path / "file" / "blobs")
