"""Files attached beneath the pages, and what the database really holds of them."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from uuid import UUID

import sqlalchemy as sa

from hub.attachments.actions import attach
from hub.attachments.models import Attachment
from hub.attachments.vocabulary import DocumentKind
from hub.extensions import db
from tests.fixtures.world import World, act_as

CANARY = b"canary-41d7-Danny-Bridgeman "
PLAIN = CANARY * 40_000  # over a megabyte, many chunks


def blocks_of(content: bytes = PLAIN) -> Iterator[bytes]:
    return (content[at : at + 65_536] for at in range(0, len(content), 65_536))


def attach_file(
    world: World,
    case_id: UUID,
    content: bytes = PLAIN,
    name: str = "Danny Bridgeman.txt",
    *,
    who: str = "officer",
) -> UUID:
    actor = act_as(world, who)
    made = attach(
        actor,
        case_id,
        name=name,
        kind=DocumentKind.OTHER,
        description="",
        media_type="",
        blocks=blocks_of(content),
    )
    db.session.commit()
    return made.id


def row_of(attachment_id: UUID) -> Attachment:
    return db.session.scalars(sa.select(Attachment).where(Attachment.id == attachment_id)).one()


def count(database: SimpleNamespace, statement: str) -> int:
    engine = sa.create_engine(database.superuser, poolclass=sa.NullPool)
    with engine.connect() as connection:
        found = connection.execute(sa.text(statement)).scalar_one()
    engine.dispose()
    return int(found)


def execute(database: SimpleNamespace, statement: str) -> None:
    engine = sa.create_engine(database.superuser, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.text(statement))
    engine.dispose()
