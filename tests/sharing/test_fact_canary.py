"""Nothing but the fact: a word of its own stands in every other text of the case, and the landlord asks every address."""

from __future__ import annotations

import html
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

import pytest
import sqlalchemy as sa
from werkzeug.routing import Rule

from hub.access.models import Involvement
from hub.access.vocabulary import Purpose, Section
from hub.attachments.actions import attach
from hub.attachments.vocabulary import DocumentKind
from hub.cases.actions import create_case
from hub.cases.forms import CaseForm
from hub.cases.vocabulary import CaseKind
from hub.chronology.actions import add_entry
from hub.chronology.forms import EntryForm
from hub.extensions import db
from hub.incidents.actions import log_incident
from hub.incidents.forms import IncidentForm
from hub.incidents.vocabulary import IncidentKind
from hub.people.actions import add_person
from hub.people.vocabulary import InvolvementRole
from hub.places.actions import add_place
from hub.places.vocabulary import PlaceKind
from hub.vehicles.actions import add_vehicle
from hub.vehicles.vocabulary import VehicleKind
from hub.web.routes import DECLARED, Data
from tests.conftest import settings_for
from tests.fixtures.applications import application_for
from tests.fixtures.facts import told_fact
from tests.fixtures.shares import shared
from tests.fixtures.site import Site
from tests.fixtures.store import Bucket, bucket, object_store_server
from tests.fixtures.world import World, act_as

__all__ = ["bucket", "object_store_server"]

# every text of the case but the fact's own holds it, upper and lower case
CANARY = "zqcanary"
MOST = 40


@pytest.fixture
def desk(database: SimpleNamespace, root_key_file: Path, world: World, bucket: Bucket) -> Iterator[Site]:
    app = application_for(settings_for(database.app, root_key_file, **bucket.settings()))
    yield Site(app, world)
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def ids(desk: Site) -> list[UUID]:
    """Ids of the case and of all that hangs on it. Of the facts the landlord is told one, and the police another."""
    world = desk.world
    with desk.inside():
        actor = act_as(world, "officer")
        described = IncidentForm(
            kind=IncidentKind.NOISE,
            description=f"{CANARY} description",
            occurred_from="2026-03-01",
            told_by=f"{CANARY} teller",
        )
        incident = log_incident(actor, described)
        db.session.commit()
        form = CaseForm(kind=CaseKind.ASB, title=f"{CANARY} title", summary=f"{CANARY} summary")
        case = create_case(actor, form, from_incident=incident.id)
        db.session.commit()
        person = add_person(
            actor,
            case,
            role=InvolvementRole.VICTIM,
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
            blocks=[f"{CANARY} content".encode()],
        )
        db.session.commit()
        involved = db.session.scalars(
            sa.select(Involvement.id).where(
                Involvement.person_id == person.id, Involvement.record_id == case.id
            )
        ).one()
        made = [case.id, incident.id, person.id, entry.id, file.id, involved]
        sections = tuple(Section)
        made.append(shared(world, case.id, sections=sections, reason=f"{CANARY} to the police"))
        made.append(
            shared(
                world,
                case.id,
                to="landlord",
                taken_by=None,
                purpose=Purpose.TENANCY,
                sections=(Section.SUMMARY,),
                reason=f"{CANARY} whole case",
            )
        )
        made.append(told_fact(world, case.id, reason=f"{CANARY} necessity"))
        other = {"concerning": f"{CANARY} flat", "wording": f"{CANARY} wording"}
        made.append(
            told_fact(
                world, case.id, to="police", taken_by="sergeant", purpose=Purpose.PREVENT_CRIME, **other
            )
        )
        db.session.remove()
    return made


def addresses(site: Site, rule: Rule, method: str, ids: list[UUID]) -> list[str]:
    adapter = site.app.url_map.bind("127.0.0.1:8480")
    names = sorted(rule.arguments)
    found = []
    for values in list(product(ids, repeat=len(names)))[:MOST]:
        try:
            found.append(adapter.build(rule.endpoint, dict(zip(names, values, strict=True)), method=method))
        except ValueError:
            # not a rule of ids
            found.append(adapter.build(rule.endpoint, dict.fromkeys(names, "x"), method=method))
            break
    return found


def asked(site: Site, ids: list[UUID]) -> Iterator[tuple[str, str, int]]:
    """Every address of the map with every id, by reading and by sending an empty form: address, answer, status."""
    client = site.as_user("landlord_officer")
    for method in ("GET", "POST"):
        for rule in site.app.url_map.iter_rules():
            if method not in (rule.methods or ()) or rule.endpoint not in DECLARED:
                continue
            if rule.endpoint in ("accounts.sign_out", "accounts.hat"):
                continue
            for address in addresses(site, rule, method, ids):
                answer = (
                    client.get(address) if method == "GET" else client.post(address, {"answer": "accept"})
                )
                # the health page may say that a part is missing here
                if DECLARED[rule.endpoint].data is not Data.NONE:
                    assert answer.status_code < 500, (method, address, answer.status_code)
                yield f"{method} {address}", html.unescape(answer.text).lower(), answer.status_code


@pytest.mark.slow
def test_the_recipient_of_a_fact_is_shown_the_fact_and_nothing_else_of_the_case(
    desk: Site, ids: list[UUID]
) -> None:
    leaks, shown, number = [], [], 0
    for address, page, status in asked(desk, ids):
        number += 1
        if CANARY in page:
            leaks.append((address, status))
        if "14 quay street" in page:
            shown.append(address)
    assert leaks == []
    # the crawl met the fact itself, at its one address, or it proves nothing
    assert len(shown) == 1 and shown[0].startswith("GET /facts/") and number > 200, (shown, number)


@pytest.mark.slow
def test_the_same_crawl_finds_the_canary_where_it_may_be_seen(desk: Site, ids: list[UUID]) -> None:
    """The lead sees all that the landlord must not: so the words are really there, and a crawl would meet them."""
    client = desk.as_user("officer")
    pages = [
        client.get(f"/cases/{ids[0]}{part}").text for part in ("", "/log", "/people", "/files", "/sharing")
    ]
    assert [CANARY in html.unescape(page).lower() for page in pages] == [True] * 5


@pytest.mark.slow
def test_no_notice_or_mail_to_the_landlord_holds_more_than_the_reference(
    desk: Site, ids: list[UUID], database: SimpleNamespace
) -> None:
    rows = desk.sql(
        database.superuser,
        "SELECT m.kind, m.subject || m.body AS text FROM outbox_message m WHERE m.user_id = :id",
        id=desk.world.users["landlord_officer"],
    )
    # of the whole case that was offered to the landlord too, a role that reads single facts is not told
    assert [row.kind for row in rows] == ["fact.shared"]
    assert CANARY not in rows[0].text and "Quay" not in rows[0].text and "Closure" not in rows[0].text
