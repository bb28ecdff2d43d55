"""The root key in a key management service that speaks the AWS KMS API: it wraps there and never comes here.

The setting names an alias. A generation is a key of its own behind that alias, because the service keeps all material that a
key ever had: only the end of a whole key ends what old backups hold under it. Rights that are needed: Encrypt, Decrypt and
DescribeKey for the service; CreateKey, UpdateAlias and ScheduleKeyDeletion for whoever turns the root key.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from hub.config import KmsSettings
from hub.core import clock
from hub.crypto.errors import KeeperUnavailable, Unsealable
from hub.crypto.wrapping import Ids, RootWrapped

CONNECT_SECONDS = 2
READ_SECONDS = 5
ATTEMPTS = 3
# the shortest that the service offers; until then an administrator of the service can still take it back
DELETION_DAYS = 7
_UNSEALABLE = frozenset({"InvalidCiphertextException", "IncorrectKeyException"})


class KmsKeeper:
    """One alias in one region. Safe for threads."""

    def __init__(self, settings: KmsSettings) -> None:
        self._alias = settings.key
        # never the shared session: making clients of it is not safe for threads
        self._client = boto3.session.Session().client(
            "kms",
            region_name=settings.region,
            endpoint_url=settings.endpoint or None,
            aws_access_key_id=settings.access_key or None,
            aws_secret_access_key=settings.secret_key or None,
            config=Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            ),
        )

    def generation(self) -> str:
        with _translated():
            return self._client.describe_key(KeyId=self._alias)["KeyMetadata"]["Arn"]

    def wrap(self, secret: bytes, *, purpose: str, ids: Ids) -> RootWrapped:
        with _translated():
            answer = self._client.encrypt(
                KeyId=self._alias, Plaintext=secret, EncryptionContext=_context(purpose, ids)
            )
        return RootWrapped(answer["KeyId"], answer["CiphertextBlob"])

    def unwrap(self, wrapped: RootWrapped, *, purpose: str, ids: Ids) -> bytes:
        with _translated():
            answer = self._client.decrypt(
                # named, so that nothing opens that another key of the account sealed
                KeyId=wrapped.generation,
                CiphertextBlob=wrapped.sealed,
                EncryptionContext=_context(purpose, ids),
            )
        return answer["Plaintext"]

    def turn(self) -> str:
        with _translated():
            made = self._client.create_key(Description="Root key of a partner hub")["KeyMetadata"]
            self._client.update_alias(AliasName=self._alias, TargetKeyId=made["KeyId"])
        return made["Arn"]

    def end(self, generation: str) -> datetime:
        if generation == self.generation():
            raise ValueError("this generation of the root key wraps")
        with _translated():
            state = self._client.describe_key(KeyId=generation)["KeyMetadata"]
            if "DeletionDate" in state:
                return state["DeletionDate"]
            answer = self._client.schedule_key_deletion(
                KeyId=state["KeyId"], PendingWindowInDays=DELETION_DAYS
            )
        return answer.get("DeletionDate", clock.now())


def _context(purpose: str, ids: Ids) -> dict[str, str]:
    """What the service binds the ciphertext to, and writes into its own log."""
    return {"purpose": f"hub/{purpose}", **{f"id{number}": str(one) for number, one in enumerate(ids)}}


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code in _UNSEALABLE:
            raise Unsealable from None
        raise KeeperUnavailable(code) from None
    except BotoCoreError as error:
        raise KeeperUnavailable(type(error).__name__) from None
