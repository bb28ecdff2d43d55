"""A closed case full of one word, a store for its files, and who may have it erased."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from hub.access.permissions import Role
from hub.access.vocabulary import Section
from hub.attachments.actions import attach
from hub.attachments.vocabulary import DocumentKind
from hub.cases.actions import create_case
from hub.cases.forms import CaseForm
from hub.cases.vocabulary import CaseKind
from hub.chronology.actions import add_entry
from hub.chronology.forms import EntryForm
from hub.extensions import db
from hub.launcher.postgres_binaries import choose
from hub.people.actions import add_person
from hub.people.vocabulary import InvolvementRole
from hub.places.actions import add_place
from hub.places.vocabulary import PlaceKind
from hub.vehicles.actions import add_vehicle
from hub.vehicles.vocabulary import VehicleKind
from tests.conftest import settings_for
from tests.fixtures.applications import application_for
from tests.fixtures.keepers import kms as kms
from tests.fixtures.keepers import kms_server as kms_server
from tests.fixtures.keepers import transit as transit
from tests.fixtures.shares import shared
from tests.fixtures.site import Site
from tests.fixtures.store import Bucket
from tests.fixtures.store import bucket as bucket
from tests.fixtures.store import object_store_server as object_store_server
from tests.fixtures.world import World, act_as

CANARY = "zqcanary"
CONTENT = f"{CANARY} content ".encode() * 3_000


@dataclass
class Scene:
    """The site, its database and store, and the ids of the case."""

    site: Site
    database: SimpleNamespace
    bucket: Bucket
    case_id: UUID
    entry_id: UUID
    file_id: UUID
    person_id: UUID

    @property
    def world(self) -> World:
        return self.site.world

    def sql(self, statement: str, **values: Any) -> list[Any]:
        return self.site.sql(self.database.superuser, statement, **values)

    def dump(self, file: Path | None = None) -> str:
        """All that the database holds, as `pg_dump` writes it; or into a file that `pg_restore` reads."""
        form = ["-Fc", "-f", str(file)] if file else []
        done = subprocess.run(
            [choose("", made_by=None).bin / "pg_dump", *form, plain(self.database.superuser)],
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def closed(self) -> None:
        # the way there is the business of other tests
        self.sql(
            "UPDATE case_record SET status = 'closed', closed_at = now(), closure_reason = 'no_asb_found' WHERE id = :id",
            id=self.case_id,
        )

    def drafted(self) -> None:
        self.sql(
            "INSERT INTO draft (id, created_at, user_id, partnership_id, form, sealed, updated_at)"
            " SELECT gen_random_uuid(), now(), u.id, p.id, 'case_log.add:' || :id, '\\x00', now()"
            " FROM app_user u, partnership p LIMIT 1",
            id=str(self.case_id),
        )


@pytest.fixture
def desk(database: SimpleNamespace, root_key_file: Path, world: World, bucket: Bucket) -> Iterator[Site]:
    app = application_for(settings_for(database.app, root_key_file, demo=True, **bucket.settings()))
    yield Site(app, world)
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def scene(desk: Site, database: SimpleNamespace, bucket: Bucket) -> Scene:
    """A case with a word of its own in every text; the reader of the small world is a data protection officer too."""
    world = desk.world
    desk.sql(
        database.superuser,
        "INSERT INTO role_holding (user_id, partnership_id, role, granted_at) VALUES (:user, :area, :role, now())",
        user=world.users["reader"],
        area=world.partnerships["northbrook"],
        role=Role.DATA_PROTECTION.value,
    )
    with desk.inside():
        made = _fill(world)
    found = Scene(desk, database, bucket, **made)
    found.closed()
    found.drafted()
    return found


def _fill(world: World) -> dict[str, UUID]:
    actor = act_as(world, "officer")
    case = create_case(
        actor, CaseForm(kind=CaseKind.ASB, title=f"{CANARY} title", summary=f"{CANARY} summary")
    )
    db.session.commit()
    person = add_person(
        actor,
        case,
        role=InvolvementRole.SUBJECT,
        given_names=f"{CANARY}one",
        family_name=f"{CANARY}two",
        known_as=f"{CANARY}three",
        date_of_birth="1990-02-01",
    )
    add_place(actor, case, kind=PlaceKind.STREET, description=f"{CANARY} lane", street=f"{CANARY} row")
    add_vehicle(actor, case, kind=VehicleKind.CAR, description=f"{CANARY} car")
    entry = add_entry(actor, case.id, EntryForm(text=f"{CANARY} entry"))
    db.session.commit()
    file = attach(
        actor,
        case.id,
        name=f"{CANARY}.txt",
        kind=DocumentKind.OTHER,
        description=f"{CANARY} file",
        media_type="text/plain",
        blocks=[CONTENT],
    )
    db.session.commit()
    made = {"case_id": case.id, "entry_id": entry.id, "file_id": file.id, "person_id": person.id}
    shared(world, case.id, sections=(Section.SUMMARY,), reason=f"{CANARY} to the police")
    return made


def connect(url: str) -> sa.Engine:
    return sa.create_engine(url, poolclass=sa.NullPool)


def plain(url: str) -> str:
    """The address as libpq reads it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
