"""The root key file: what is accepted, what is refused and how plainly."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from uuid import uuid4

import pytest

from hub.config import Settings
from hub.crypto.errors import KeyFileRefused, Unsealable
from hub.crypto.rootkey import RootKey


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    file = tmp_path / "root.key"
    file.write_bytes(os.urandom(32))
    file.chmod(0o600)
    return file


def settings_for(file: Path) -> Settings:
    given = {field.name: "" for field in dataclasses.fields(Settings)}
    return Settings(**{**given, "root_key_file": file})  # type: ignore[arg-type]


def test_what_one_start_wraps_the_next_start_opens(key_file: Path) -> None:
    bound = (uuid4(),)
    wrapped = RootKey.from_settings(settings_for(key_file)).wrap(b"epoch", purpose="epoch", ids=bound)
    assert RootKey(key_file).unwrap(wrapped, purpose="epoch", ids=bound) == b"epoch"


def test_another_root_key_opens_nothing(key_file: Path) -> None:
    wrapped = RootKey(key_file).wrap(b"epoch", purpose="epoch", ids=())
    key_file.write_bytes(os.urandom(32))
    with pytest.raises(Unsealable):
        RootKey(key_file).unwrap(wrapped, purpose="epoch", ids=())


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o601, 0o620, 0o644, 0o666, 0o777])
def test_a_file_open_to_others_is_refused_with_the_remedy(key_file: Path, mode: int) -> None:
    key_file.chmod(mode)
    with pytest.raises(KeyFileRefused, match=f"chmod 600 {key_file}"):
        RootKey(key_file)


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o640])
def test_a_file_for_the_owner_or_its_group_is_accepted(key_file: Path, mode: int) -> None:
    key_file.chmod(mode)
    RootKey(key_file)


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_key_of_another_length_is_refused(key_file: Path, size: int) -> None:
    key_file.write_bytes(bytes(size))
    with pytest.raises(KeyFileRefused, match="exactly 32 bytes"):
        RootKey(key_file)


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(KeyFileRefused, match="nowhere"):
        RootKey(tmp_path / "nowhere")


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(KeyFileRefused, match="is not a file"):
        RootKey(tmp_path / "pipe")
    with pytest.raises(KeyFileRefused, match="root"):
        RootKey(tmp_path)


def test_a_link_to_a_closed_file_is_followed(key_file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(key_file)
    RootKey(link)
    key_file.chmod(0o644)
    with pytest.raises(KeyFileRefused):
        RootKey(link)


def test_the_key_does_not_show(key_file: Path) -> None:
    key = key_file.read_bytes()
    shown = repr(RootKey(key_file)) + str(RootKey(key_file))
    assert key.hex() not in shown and repr(key) not in shown
