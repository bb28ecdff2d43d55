"""The root key file: what is accepted, what is refused and how plainly. What all keepers do is in `test_keepers`."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import uuid4

import pytest

from hub.crypto.errors import KeyFileRefused, Unsealable
from hub.crypto.keepers.file import FileKeeper
from hub.crypto.wrapping import RootWrapped


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    file = tmp_path / "root.key"
    file.write_bytes(os.urandom(32))
    file.chmod(0o600)
    return file


def test_what_one_start_wraps_the_next_start_opens(key_file: Path) -> None:
    bound = (uuid4(),)
    wrapped = FileKeeper(key_file).wrap(b"epoch", purpose="epoch", ids=bound)
    assert FileKeeper(key_file).unwrap(wrapped, purpose="epoch", ids=bound) == b"epoch"


def test_an_epoch_of_before_generations_had_names_still_opens(key_file: Path) -> None:
    keeper = FileKeeper(key_file)
    first = RootWrapped("root-1", keeper.wrap(b"epoch", purpose="epoch", ids=()).sealed)
    assert keeper.unwrap(first, purpose="epoch", ids=()) == b"epoch"


def test_another_root_key_opens_nothing(key_file: Path) -> None:
    wrapped = FileKeeper(key_file).wrap(b"epoch", purpose="epoch", ids=())
    key_file.write_bytes(os.urandom(32))
    with pytest.raises(Unsealable):
        FileKeeper(key_file).unwrap(wrapped, purpose="epoch", ids=())


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o601, 0o620, 0o644, 0o666, 0o777])
def test_a_file_open_to_others_is_refused_with_the_remedy(key_file: Path, mode: int) -> None:
    key_file.chmod(mode)
    with pytest.raises(KeyFileRefused, match=f"chmod 600 {key_file}"):
        FileKeeper(key_file)


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o640])
def test_a_file_for_the_owner_or_its_group_is_accepted(key_file: Path, mode: int) -> None:
    key_file.chmod(mode)
    FileKeeper(key_file)


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_key_of_another_length_is_refused(key_file: Path, size: int) -> None:
    key_file.write_bytes(bytes(size))
    with pytest.raises(KeyFileRefused, match="exactly 32 bytes"):
        FileKeeper(key_file)


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(KeyFileRefused, match="nowhere"):
        FileKeeper(tmp_path / "nowhere")


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(KeyFileRefused, match="is not a file"):
        FileKeeper(tmp_path / "pipe")
    with pytest.raises(KeyFileRefused, match="root"):
        FileKeeper(tmp_path)


def test_a_link_to_a_closed_file_is_followed(key_file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(key_file)
    FileKeeper(link)
    key_file.chmod(0o644)
    with pytest.raises(KeyFileRefused):
        FileKeeper(link)


def test_the_key_does_not_show(key_file: Path) -> None:
    key = key_file.read_bytes()
    shown = repr(FileKeeper(key_file)) + str(FileKeeper(key_file))
    assert key.hex() not in shown and repr(key) not in shown
