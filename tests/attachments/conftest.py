"""A real object store for the tests of this folder, and the site standing on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from hub.access.actor import Actor
from hub.attachments.models import Attachment
from hub.cases.actions import create_case
from hub.cases.forms import CaseForm
from hub.cases.vocabulary import CaseKind
from hub.extensions import db
from tests.conftest import settings_for
from tests.fixtures.applications import application_for
from tests.fixtures.clamd import Clamd, clamd, clamd_program, clamd_server
from tests.fixtures.site import Client, Site
from tests.fixtures.store import Bucket, bucket, object_store_server
from tests.fixtures.world import World, act_as

__all__ = ["bucket", "clamd", "clamd_program", "clamd_server", "object_store_server"]


@pytest.fixture
def demo_app(database: SimpleNamespace, root_key_file: Path, bucket: Bucket) -> Iterator[Flask]:
    """The application of a demonstration, inside an application context, on a bucket of its own."""
    app = application_for(settings_for(database.app, root_key_file, demo=True, **bucket.settings()))
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def desk(database: SimpleNamespace, root_key_file: Path, world: World, bucket: Bucket) -> Iterator[Desk]:
    """The site over HTTP, with a case of the officer's to attach files to."""
    app = application_for(settings_for(database.app, root_key_file, demo=True, **bucket.settings()))
    yield Desk(Site(app, world), bucket)
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def scanned(
    database: SimpleNamespace, root_key_file: Path, world: World, bucket: Bucket, clamd: Clamd
) -> Iterator[Desk]:
    """The same in earnest: no demonstration, and a scanner."""
    app = application_for(settings_for(database.app, root_key_file, clamd=clamd.address, **bucket.settings()))
    yield Desk(Site(app, world), bucket)
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def case_id(demo_app: Flask, world: World) -> UUID:
    return new_case(act_as(world, "officer"))


def new_case(actor: Actor, **changes: Any) -> UUID:
    case = create_case(actor, CaseForm(kind=CaseKind.ASB, title="Noise, Mill Lane", **changes))
    db.session.commit()
    return case.id


class Desk:
    """What an officer does with files, as a browser would."""

    def __init__(self, site: Site, bucket: Bucket) -> None:
        self.site = site
        self.bucket = bucket
        with site.inside():
            self.case_id = new_case(act_as(site.world, "officer"))

    def settings(self, **changes: Any) -> None:
        self.site.app.config["HUB_SETTINGS"] = replace(self.site.app.config["HUB_SETTINGS"], **changes)
        self.site.app.extensions.pop("hub_object_store", None)

    def path(self, *more: object) -> str:
        return "/".join(str(part) for part in (f"/cases/{self.case_id}/files", *more))

    def officer(self) -> Client:
        return self.site.as_user("officer")

    def send(
        self,
        client: Client,
        name: str,
        content: bytes,
        *,
        case_id: UUID | None = None,
        key: str | None = None,
        **fields: str,
    ) -> TestResponse:
        form = {
            "csrf_token": client.csrf,
            "form_key": key or str(uuid4()),
            "kind": "report",
            "description": "",
            **fields,
        }
        body, content_type = multipart(form, name, content)
        path = f"/cases/{case_id or self.case_id}/files"
        return client.http.post(path, data=body, content_type=content_type)

    def rows(self) -> int:
        with self.site.inside():
            act_as(self.site.world, "officer")
            return db.session.scalar(sa.select(sa.func.count()).select_from(Attachment)) or 0


def multipart(form: dict[str, str], name: str, content: bytes, *, field: str = "file") -> tuple[bytes, str]:
    """The body that a browser sends: fields first, the file last."""
    mark = f"----hub{uuid4().hex}"
    parts = [
        f'--{mark}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
        for key, value in form.items()
    ]
    quoted = name.replace("\\", "\\\\").replace('"', "%22")
    head = f'--{mark}\r\nContent-Disposition: form-data; name="{field}"; filename="{quoted}"\r\nContent-Type: application/x-claimed\r\n\r\n'
    return (
        "".join(parts).encode() + head.encode() + content + f"\r\n--{mark}--\r\n".encode(),
        f"multipart/form-data; boundary={mark}",
    )


def share(site: Site, superuser: str, case_id: UUID, *sections: str, may_contribute: bool = False) -> None:
    """An accepted share of the case with the police, under the small world's agreement."""
    site.sql(
        superuser,
        "INSERT INTO record_grant (id, created_at, revision, record_id, record_reference, partnership_id,"
        " owner_organisation_id, lead_team_id, marking, restricted, breakable, knowable, open_to_owner,"
        " to_organisation_id, agreement_id, agreement_ends_at, agreement_sections, fact_only, purpose, gateway, lawful_basis, sections, max_marking,"
        " may_contribute, reason, state, requested_by, answered_by, answered_at, starts_at, ends_at)"
        " SELECT gen_random_uuid(), now(), 1, r.id, r.reference, r.partnership_id, r.owner_organisation_id,"
        " r.lead_team_id, r.marking, r.restricted, r.breakable, r.knowable, r.open_to_owner, :police, a.id, a.ends_at, a.sections, false,"
        " 'prevent_crime', 'cda_115', 'art6_1e', CAST(:sections AS text[]), 1, :may_contribute, 'needed', 'accepted', :officer,"
        " :officer, now(), now() - interval '1 hour', now() + interval '30 days'"
        " FROM record r, agreement a WHERE r.id = :case_id AND a.id = :agreement",
        police=site.world.organisations["police"],
        officer=site.world.users["officer"],
        case_id=case_id,
        agreement=site.world.agreements["sharing"],
        sections="{" + ",".join(sections) + "}",
        may_contribute=may_contribute,
    )
