"""The root key in the transit engine of Vault or OpenBao: it wraps there and never comes here.

A generation is a version of the one named key. Ending one raises the lowest version that opens and trims what lies below it,
which can't be undone. Rights that are needed: `encrypt`, `decrypt` and reading the key for the service; `rotate`, `config`
and `trim` for whoever turns the root key.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import datetime
from functools import partial
from threading import Lock
from typing import Any

import hvac
import requests
from hvac.exceptions import Forbidden, InvalidRequest, VaultError

from hub.config import TransitSettings
from hub.core import clock
from hub.crypto.errors import KeeperUnavailable, Unsealable
from hub.crypto.wrapping import Ids, RootWrapped, bound_to

CONNECT_SECONDS = 2
READ_SECONDS = 5
_VERSION = re.compile(r"vault:v([1-9][0-9]*):")


class TransitKeeper:
    """One named key. Safe for threads; a token that is refused is fetched anew, once."""

    def __init__(self, settings: TransitSettings) -> None:
        self._settings = settings
        self._name = settings.key
        self._prefix = f"transit:{settings.mount}/{settings.key}:"
        self._client: hvac.Client | None = None
        self._lock = Lock()

    def generation(self) -> str:
        return f"{self._prefix}{self._latest()}"

    def wrap(self, secret: bytes, *, purpose: str, ids: Ids) -> RootWrapped:
        answer = self._asked(
            lambda transit: transit.encrypt_data(
                name=self._name,
                plaintext=_text(secret),
                associated_data=_text(bound_to(purpose, ids)),
                mount_point=self._settings.mount,
            )
        )
        sealed: str = answer["data"]["ciphertext"]
        found = _VERSION.match(sealed)
        if found is None:
            raise KeeperUnavailable("unknown_ciphertext")
        return RootWrapped(f"{self._prefix}{found.group(1)}", sealed.encode())

    def unwrap(self, wrapped: RootWrapped, *, purpose: str, ids: Ids) -> bytes:
        try:
            sealed = wrapped.sealed.decode("ascii")
        except UnicodeDecodeError:
            raise Unsealable from None
        answer = self._asked(
            lambda transit: transit.decrypt_data(
                name=self._name,
                ciphertext=sealed,
                associated_data=_text(bound_to(purpose, ids)),
                mount_point=self._settings.mount,
            ),
            refused=Unsealable(),
        )
        return base64.b64decode(answer["data"]["plaintext"])

    def turn(self) -> str:
        mount = self._settings.mount
        self._asked(lambda transit: transit.rotate_key(name=self._name, mount_point=mount))
        return self.generation()

    def end(self, generation: str) -> datetime:
        """Ends all versions up to this one: the engine knows no other way. Whoever calls this ends the oldest first."""
        lowest, mount = int(generation.removeprefix(self._prefix)) + 1, self._settings.mount
        if lowest > self._latest():
            raise ValueError("this generation of the root key wraps")
        # one after the other: together the library refuses what the engine takes
        for least in ("min_encryption_version", "min_decryption_version"):
            self._asked(partial(self._configure, **{least: lowest}))
        self._asked(lambda transit: transit.trim_key(name=self._name, min_version=lowest, mount_point=mount))
        return clock.now()

    def _configure(self, transit: Any, **given: int) -> Any:
        return transit.update_key_configuration(name=self._name, mount_point=self._settings.mount, **given)

    def _latest(self) -> int:
        mount = self._settings.mount
        answer = self._asked(lambda transit: transit.read_key(name=self._name, mount_point=mount))
        return int(answer["data"]["latest_version"])

    def _asked(self, ask: Callable[[Any], Any], refused: Exception | None = None) -> Any:
        try:
            try:
                return ask(self._signed_in().secrets.transit)
            except Forbidden:
                # a token ends; the file may hold a new one by now
                self._client = None
                return ask(self._signed_in().secrets.transit)
        except InvalidRequest:
            # of a ciphertext: it, its associated data or its version opens no more, one answer for all
            raise (refused or KeeperUnavailable("InvalidRequest")) from None
        except (VaultError, requests.RequestException, OSError) as error:
            raise KeeperUnavailable(type(error).__name__) from None

    def _signed_in(self) -> hvac.Client:
        with self._lock:
            if self._client is None:
                self._client = self._sign_in()
            return self._client

    def _sign_in(self) -> hvac.Client:
        given = self._settings
        client = hvac.Client(
            url=given.url,
            namespace=given.namespace or None,
            verify=str(given.ca_file) if given.ca_file else True,
            timeout=(CONNECT_SECONDS, READ_SECONDS),
        )
        if given.token_file is not None:
            client.token = given.token_file.read_text().strip()
        elif given.secret_id_file is not None:
            client.auth.approle.login(
                role_id=given.role_id, secret_id=given.secret_id_file.read_text().strip()
            )
        return client


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()
