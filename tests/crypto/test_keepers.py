"""The three keepers of the root key do the same: bound to purpose and ids, turned, ended for good, and plain about trouble."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from hub.core import clock
from hub.crypto.errors import KeeperUnavailable, Unsealable
from hub.crypto.keepers.file import FileKeeper
from hub.crypto.keepers.kms import KmsKeeper
from hub.crypto.keepers.transit import TransitKeeper
from hub.crypto.rootkey import Checked, RootKey, check
from hub.crypto.wrapping import RootWrapped
from tests.fixtures.keepers import Kms, Transit

EPOCH = secrets.token_bytes(32)
BOUND: dict[str, Any] = {"purpose": "epoch", "ids": (uuid4(), uuid4())}


@pytest.fixture(params=["file", "kms", "transit"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], RootKey]:
    """Makes keepers of one and the same root key, as each process does."""
    if request.param == "kms":
        kms: Kms = request.getfixturevalue("kms")
        return lambda: KmsKeeper(kms.settings())
    if request.param == "transit":
        engine: Transit = request.getfixturevalue("transit")
        return lambda: TransitKeeper(engine.settings())
    file = tmp_path / "root.key"
    file.write_bytes(secrets.token_bytes(32))
    file.chmod(0o600)
    return lambda: FileKeeper(file)


def test_what_one_process_wraps_another_opens(make: Callable[[], RootKey]) -> None:
    one, other = make(), make()
    wrapped = one.wrap(EPOCH, **BOUND)
    assert wrapped.generation == one.generation() == other.generation()
    assert EPOCH not in wrapped.sealed
    assert other.unwrap(wrapped, **BOUND) == EPOCH
    assert check(other) == Checked(True, one.generation())


@pytest.mark.parametrize(
    "bound",
    [
        {**BOUND, "purpose": "data"},
        {**BOUND, "ids": BOUND["ids"][::-1]},
        {**BOUND, "ids": BOUND["ids"][:1]},
        {**BOUND, "ids": ()},
    ],
)
def test_it_opens_only_for_what_it_was_wrapped_for(
    make: Callable[[], RootKey], bound: dict[str, Any]
) -> None:
    keeper = make()
    wrapped = keeper.wrap(EPOCH, **BOUND)
    with pytest.raises(Unsealable):
        keeper.unwrap(wrapped, **bound)


def test_changed_bytes_open_nothing(make: Callable[[], RootKey]) -> None:
    keeper = make()
    wrapped = keeper.wrap(EPOCH, **BOUND)
    for changed in (wrapped.sealed[:-4], b"", wrapped.sealed[:-6] + b"\xff\x00abcd"):
        with pytest.raises((Unsealable, KeeperUnavailable)):
            keeper.unwrap(RootWrapped(wrapped.generation, changed), **BOUND)


def test_a_turned_key_opens_what_it_wrapped_before(make: Callable[[], RootKey]) -> None:
    keeper, running = make(), make()
    before = keeper.wrap(EPOCH, **BOUND)
    assert keeper.turn() == keeper.generation() == running.generation() != before.generation
    after = running.wrap(EPOCH, **BOUND)
    assert after.generation == keeper.generation()
    assert keeper.unwrap(before, **BOUND) == running.unwrap(after, **BOUND) == EPOCH


def test_what_an_ended_generation_wrapped_opens_nowhere(make: Callable[[], RootKey]) -> None:
    keeper = make()
    before = keeper.wrap(EPOCH, **BOUND)
    keeper.turn()
    after = keeper.wrap(EPOCH, **BOUND)
    final = keeper.end(before.generation)
    assert 0 <= (final - clock.now()).total_seconds() + 60 < 8 * 86_400
    for one in (keeper, make()):
        with pytest.raises((Unsealable, KeeperUnavailable)):
            one.unwrap(before, **BOUND)
        assert one.unwrap(after, **BOUND) == EPOCH
    # asked for twice, it is as ended as before
    keeper.end(before.generation)


def test_the_generation_that_wraps_is_not_ended(make: Callable[[], RootKey]) -> None:
    keeper = make()
    wrapped = keeper.wrap(EPOCH, **BOUND)
    with pytest.raises(ValueError, match="wraps"):
        keeper.end(wrapped.generation)
    assert keeper.unwrap(wrapped, **BOUND) == EPOCH


def test_what_another_key_of_the_account_sealed_is_refused(kms: Kms) -> None:
    keeper = KmsKeeper(kms.settings())
    other = kms.client.create_key()["KeyMetadata"]["KeyId"]
    context = {"purpose": "hub/epoch", "id0": str(BOUND["ids"][0]), "id1": str(BOUND["ids"][1])}
    foreign = kms.client.encrypt(KeyId=other, Plaintext=b"k" * 32, EncryptionContext=context)
    with pytest.raises((Unsealable, KeeperUnavailable)):
        keeper.unwrap(RootWrapped(keeper.generation(), foreign["CiphertextBlob"]), **BOUND)


def test_a_service_that_is_not_there_is_told_plainly(kms: Kms, transit: Transit) -> None:
    away = KmsKeeper(kms.settings(endpoint="http://127.0.0.1:1"))
    for keeper in (away, TransitKeeper(transit.settings(url="http://127.0.0.1:1"))):
        with pytest.raises(KeeperUnavailable) as told:
            keeper.wrap(EPOCH, **BOUND)
        assert told.value.code == "keeper_unavailable" and "127.0.0.1" not in told.value.message
        assert check(keeper) == Checked(False, code="keeper_unavailable")
    with pytest.raises(KeeperUnavailable):
        KmsKeeper(kms.settings(key="alias/nobody")).wrap(EPOCH, **BOUND)


def test_a_disabled_key_is_trouble_and_not_damage(kms: Kms) -> None:
    keeper = KmsKeeper(kms.settings())
    wrapped = keeper.wrap(EPOCH, **BOUND)
    key = wrapped.generation.rpartition("/")[2]
    kms.client.disable_key(KeyId=key)
    with pytest.raises(KeeperUnavailable):
        keeper.unwrap(wrapped, **BOUND)
    kms.client.enable_key(KeyId=key)
    assert keeper.unwrap(wrapped, **BOUND) == EPOCH


def test_a_token_that_ended_is_read_anew(transit: Transit) -> None:
    keeper = TransitKeeper(transit.settings())
    wrapped = keeper.wrap(EPOCH, **BOUND)
    transit.give_token()
    assert keeper.unwrap(wrapped, **BOUND) == EPOCH
    transit.tokens.clear()
    with pytest.raises(KeeperUnavailable):
        keeper.unwrap(wrapped, **BOUND)


def test_a_sealed_engine_is_trouble_until_it_is_open_again(transit: Transit) -> None:
    keeper = TransitKeeper(transit.settings())
    wrapped = keeper.wrap(EPOCH, **BOUND)
    transit.sealed = True
    with pytest.raises(KeeperUnavailable):
        keeper.unwrap(wrapped, **BOUND)
    transit.sealed = False
    assert keeper.unwrap(wrapped, **BOUND) == EPOCH


def test_an_app_role_signs_in_and_a_namespace_is_named(transit: Transit, tmp_path: Path) -> None:
    transit.namespace = "partners/hub"
    file = tmp_path / "secret-id"
    file.write_text("secret-id\n")
    keeper = TransitKeeper(transit.settings(token_file=None, role_id="role", secret_id_file=file))
    assert keeper.unwrap(keeper.wrap(EPOCH, **BOUND), **BOUND) == EPOCH
    assert transit.asked[0] == "POST /v1/auth/approle/login"
    file.write_text("another")
    with pytest.raises(KeeperUnavailable):
        TransitKeeper(transit.settings(token_file=None, role_id="role", secret_id_file=file)).generation()
    with pytest.raises(KeeperUnavailable):
        TransitKeeper(transit.settings(namespace="")).generation()


def test_an_unknown_name_of_a_key_is_trouble(transit: Transit) -> None:
    with pytest.raises(KeeperUnavailable):
        TransitKeeper(transit.settings(key="nobody")).wrap(EPOCH, **BOUND)
