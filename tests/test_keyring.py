import json
import multiprocessing
import os
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from oriel.errors import OrielError
from oriel.keyring import Keyring
from oriel.sealing import Sealer


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "keyring.json"


def public(keyring: Keyring) -> list[bytes]:
    keys = (keyring.platform_key, keyring.service_key, keyring.issuer_key, keyring.host_key)
    return [key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw) for key in keys]


def refusal(path: Path) -> OrielError:
    with pytest.raises(OrielError) as refused:
        Keyring.open(path)
    assert refused.value.code == "unavailable"
    return refused.value


def test_a_keyring_keeps_its_keys(path):
    first, second = Keyring.open(path, create=True), Keyring.open(path)
    assert public(first) == public(second)
    assert first.current().key_id == second.current().key_id


def test_each_purpose_has_a_key_of_its_own(path):
    assert len(set(public(Keyring.open(path, create=True)))) == 4


def test_a_keyring_of_an_earlier_release_gets_the_key_it_lacks_once(path):
    whole = Keyring.open(path, create=True)
    content = json.loads(path.read_text())
    del content["host_key"]
    path.write_text(json.dumps(content))
    first, second = Keyring.open(path), Keyring.open(path)
    assert public(first) == public(second)
    assert public(first)[:3] == public(whole)[:3]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_file_and_its_folder_are_private_whatever_the_umask(path):
    before = os.umask(0)
    try:
        Keyring.open(path, create=True)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_nothing_but_the_keyring_stays_in_the_folder(path):
    Keyring.open(path, create=True).rotate_data_key()
    assert list(path.parent.iterdir()) == [path]


def test_create_leaves_a_keyring_that_is_there(path):
    assert public(Keyring.open(path, create=True)) == public(Keyring.open(path, create=True))


def test_a_missing_keyring_is_not_made_in_silence(path):
    assert str(path) in refusal(path).detail
    assert not path.exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o644, 0o660, 0o601])
def test_a_keyring_open_to_others_is_refused(path, mode):
    Keyring.open(path, create=True)
    path.chmod(mode)
    error = refusal(path)
    assert f"{mode:04o}" in error.detail
    assert "chmod 600" in error.hint


def test_a_link_is_refused(path, tmp_path):
    Keyring.open(path, create=True)
    link = tmp_path / "link.json"
    link.symlink_to(path)
    refusal(link)


def test_a_dangling_link_is_not_created_through(tmp_path):
    link = tmp_path / "link.json"
    link.symlink_to(tmp_path / "elsewhere.json")
    with pytest.raises(OrielError):
        Keyring.open(link, create=True)
    assert not (tmp_path / "elsewhere.json").exists()


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o600)
    assert "regular file" in refusal(pipe).detail


def test_a_folder_is_refused(tmp_path):
    refusal(tmp_path)


def test_a_file_of_another_user_is_refused(path, monkeypatch):
    Keyring.open(path, create=True)
    owner = path.stat().st_uid
    monkeypatch.setattr("oriel.keyring.os.geteuid", lambda: owner + 1)
    assert "another user" in refusal(path).detail


@pytest.mark.parametrize(
    "change",
    [
        lambda file: file.pop("platform_key"),
        lambda file: file.update(issuer_key="c2hvcnQ="),
        lambda file: file.update(service_key="not base64"),
        lambda file: file.update(current="key_of_nobody"),
        lambda file: file.update(data_keys=[]),
        lambda file: file.update(format=2),
        lambda file: file.update(more=1),
    ],
)
def test_a_damaged_keyring_is_refused_without_its_keys_in_the_message(path, change):
    Keyring.open(path, create=True)
    file = json.loads(path.read_text())
    keys = [file["platform_key"], file["issuer_key"], file["service_key"], file["data_keys"][0]["key"]]
    change(file)
    path.write_text(json.dumps(file))
    error = refusal(path)
    assert not any(key in error.diagnostics() for key in keys)
    assert error.__suppress_context__


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[]", b"null"])
def test_a_file_that_is_no_keyring_is_refused(tmp_path, content):
    path = tmp_path / "keyring.json"
    path.write_bytes(content)
    path.chmod(0o600)
    refusal(path)


def test_rotation_adds_a_key_and_keeps_the_old_one(path):
    keyring = Keyring.open(path, create=True)
    old = keyring.current().key_id
    new = keyring.rotate_data_key()
    assert keyring.current().key_id == new != old
    assert keyring.by_id(old) is not None
    assert Keyring.open(path).current().key_id == new


def test_rotation_leaves_the_signing_keys(path):
    keyring = Keyring.open(path, create=True)
    before = public(keyring)
    keyring.rotate_data_key()
    assert public(Keyring.open(path)) == before


def test_a_value_sealed_by_a_process_that_rotated_opens_in_one_that_was_running(path):
    running, rotating = Keyring.open(path, create=True), Keyring.open(path)
    rotating.rotate_data_key()
    sealed = Sealer(rotating).seal("t", "i", "n", b"value")
    assert Sealer(running).open("t", "i", "n", sealed) == b"value"


def test_two_processes_that_rotate_lose_no_key(path):
    first, second = Keyring.open(path, create=True), Keyring.open(path)
    ids = [first.current().key_id, first.rotate_data_key(), second.rotate_data_key()]
    assert all(Keyring.open(path).by_id(key_id) is not None for key_id in ids)


def test_an_unknown_data_key_is_none(path):
    assert Keyring.open(path, create=True).by_id("key_unknown") is None


def test_keys_do_not_print_themselves(path):
    keyring = Keyring.open(path, create=True)
    file = json.loads(path.read_text())
    assert file["platform_key"] not in repr(keyring._content)
    assert file["data_keys"][0]["key"] not in repr(keyring._content)


def _open_and_tell(path: Path, barrier, answers) -> None:
    barrier.wait()
    answers.put(public(Keyring.open(path, create=True)))


def test_processes_that_start_at_once_agree_on_one_keyring(path):
    context = multiprocessing.get_context("fork")
    barrier, answers = context.Barrier(8), context.SimpleQueue()
    processes = [context.Process(target=_open_and_tell, args=(path, barrier, answers)) for _ in range(8)]
    for process in processes:
        process.start()
    seen = [answers.get() for _ in processes]
    for process in processes:
        process.join()
    assert all(keys == seen[0] for keys in seen)
    assert public(Keyring.open(path)) == seen[0]
