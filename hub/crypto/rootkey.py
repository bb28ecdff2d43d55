"""The root key as the rest of the hub knows it: a keeper that wraps and opens the keys below it, and never hands itself out.

A root key has generations. One of them wraps; the earlier ones open what they wrapped until they are ended, and with them
whatever a backup still holds under them. Three bodies: a key file (`keepers.file`, demonstrations only), a key management
service (`keepers.kms`), the transit engine of Vault or OpenBao (`keepers.transit`).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from hub.config import Settings
from hub.core.errors import Unavailable
from hub.crypto.errors import Unsealable
from hub.crypto.keepers.file import FileKeeper
from hub.crypto.keepers.kms import KmsKeeper
from hub.crypto.keepers.transit import TransitKeeper
from hub.crypto.randomness import new_key
from hub.crypto.wrapping import Ids, RootWrapped


class RootKey(Protocol):
    """What a keeper does. Each may raise `Unavailable("keeper_unavailable")`."""

    def generation(self) -> str:
        """The name of the generation that wraps now."""

    def wrap(self, secret: bytes, *, purpose: str, ids: Ids) -> RootWrapped:
        """Seals a key, bound to a purpose and ids as in `wrapping`."""

    def unwrap(self, wrapped: RootWrapped, *, purpose: str, ids: Ids) -> bytes:
        """The key that `wrap` sealed, or Unsealable."""

    def turn(self) -> str:
        """Makes a new generation and has it wrap from here on; its name."""

    def end(self, generation: str) -> datetime:
        """Destroys a generation that wraps no more; when that can't be undone any longer. ValueError for the one that wraps."""


def keeper_of(settings: Settings) -> RootKey:
    """The keeper that the settings name."""
    if settings.kms is not None:
        return KmsKeeper(settings.kms)
    if settings.transit is not None:
        return TransitKeeper(settings.transit)
    if settings.root_key_file is not None:
        return FileKeeper(settings.root_key_file)
    raise SystemExit("No root key keeper is named: give HUB_KMS_KEY or HUB_TRANSIT_URL.")


@dataclass(frozen=True)
class Checked:
    """Whether a keeper wraps and opens again."""

    ok: bool
    generation: str = ""
    code: str = field(default="")


def check(root: RootKey) -> Checked:
    """Wraps a key that nothing uses, and opens it again."""
    key = new_key()
    try:
        wrapped = root.wrap(key, purpose="check", ids=())
        same = secrets.compare_digest(root.unwrap(wrapped, purpose="check", ids=()), key)
    except Unavailable as error:
        return Checked(False, code=error.code)
    except Unsealable:
        return Checked(False, code="unsealable")
    return Checked(same, wrapped.generation, "" if same else "unsealable")
