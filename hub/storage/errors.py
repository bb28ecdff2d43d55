"""What can go wrong between the hub and its object store. All of them mean: not now, and nothing was lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from hub.core.errors import Unavailable

_MISSING = frozenset({"NoSuchKey", "NoSuchVersion", "NotFound", "404", "MethodNotAllowed"})
_CHANGED = frozenset({"InvalidRange", "416", "PreconditionFailed", "412"})


class StoreUnavailable(Unavailable):
    """The store does not answer, refuses us, or breaks off."""

    def __init__(self, reason: str) -> None:
        super().__init__("store_unavailable")
        self.reason = reason  # for the operator's log: the store's own code, no key and no address


class ObjectMissing(Unavailable):
    """The store answers, and this object or this version of it is not there."""

    def __init__(self) -> None:
        super().__init__("object_missing")


class ObjectChanged(Unavailable):
    """The object has another size than it was stored with."""

    def __init__(self) -> None:
        super().__init__("object_changed")


@contextmanager
def translated() -> Iterator[None]:
    """The library's errors as ours."""
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code in _MISSING:
            raise ObjectMissing from None
        if code in _CHANGED:
            raise ObjectChanged from None
        raise StoreUnavailable(code) from None
    except BotoCoreError as error:
        raise StoreUnavailable(type(error).__name__) from None
