"""What the tests of the desk share: something that happened, an auditor with a purpose, and the numbers and lists of a page."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from uuid import UUID

from hub.access.vocabulary import Purpose
from hub.audit.recording import Basis, Recipient, append
from hub.cases.actions import create_case
from hub.cases.forms import CaseForm
from hub.cases.vocabulary import CaseKind
from hub.extensions import db
from hub.people.actions import add_person
from hub.people.vocabulary import InvolvementRole
from tests.fixtures.site import Client, Site
from tests.fixtures.world import act_as

_NUMBER = re.compile(
    r'<a [^>]*href="([^"]+)">([\d,]+)<span class="govuk-visually-hidden"> events?: ([^<]*)</span>'
)
_EVENT = re.compile(r'href="/audit/events/([0-9a-f-]{36})"')


@dataclass(frozen=True)
class Told:
    """A case of the council about one person, looked at by its own people and by the police."""

    case_id: UUID
    case: str
    person_id: UUID
    person: str
    # an event of the other council about its own things
    foreign: UUID


def happen(site: Site) -> Told:
    with site.inside():
        officer = act_as(site.world, "officer")
        case = create_case(officer, CaseForm(kind=CaseKind.ASB, title="Noise"))
        person = add_person(
            officer, case, role=InvolvementRole.VICTIM, given_names="Łucja", family_name="Mroz"
        )
        made = Told(case.id, case.reference, person.id, person.reference, UUID(int=0))
        db.session.commit()
        for _ in range(3):
            append(
                officer,
                "person.opened",
                object_id=made.person_id,
                people=[made.person_id],
                basis=Basis("lead"),
            )
        append(
            officer,
            "case.shared",
            object_id=made.case_id,
            version=1,
            records=[made.case_id],
            people=[made.person_id],
            facts={"sections": "people"},
            recipients=[Recipient(site.world.organisations["police"])],
            basis=Basis("share", site.world.agreements["sharing"]),
        )
        db.session.commit()
        sergeant = act_as(site.world, "sergeant", purpose=Purpose.SAFEGUARD_CHILD)
        for _ in range(2):
            append(
                sergeant,
                "person.opened",
                object_id=made.person_id,
                records=[made.case_id],
                people=[made.person_id],
                basis=Basis("share", site.world.agreements["sharing"]),
            )
        append(sergeant, "case.opened", outcome="denied", object_id=made.case_id, facts={"part": "summary"})
        # of the police alone
        append(sergeant, "work.viewed")
        db.session.commit()
        elsewhere = act_as(site.world, "east_officer")
        foreign = append(elsewhere, "incident.opened", object_id=UUID(int=7), records=[UUID(int=7)])
        db.session.commit()
        db.session.remove()
    return Told(made.case_id, made.case, made.person_id, made.person, foreign)


def with_purpose(client: Client) -> Client:
    answer = client.post("/audit/purpose", {"purpose": "lawfulness"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/audit")
    return client


def numbers_on(page: str) -> dict[str, tuple[int, str]]:
    """Words of each number → how many, and where they are listed."""
    return {
        html.unescape(words): (int(events.replace(",", "")), html.unescape(href))
        for href, events, words in _NUMBER.findall(page)
    }


def listed_at(client: Client, address: str | None) -> list[UUID]:
    """The ids of all pages of a list."""
    found: list[UUID] = []
    while address:
        answer = client.get(address)
        assert answer.status_code == 200, (address, answer.status_code)
        found += map(UUID, _EVENT.findall(answer.text))
        before, is_more, _ = answer.text.partition('rel="next"')
        address = html.unescape(before.rsplit('href="', 1)[1].split('"')[0]) if is_more else None
    return found


def move(site: Site, database: SimpleNamespace, event_id: UUID, at: datetime) -> None:
    """The event as if it had happened then; months of the past get their partition."""
    month = at.strftime("%Y_%m")
    first = at.replace(day=1).strftime("%Y-%m-%d")
    site.sql(
        database.superuser,
        f"DO $$ BEGIN IF to_regclass('audit.event_{month}') IS NULL THEN CREATE TABLE audit.event_{month} PARTITION OF"
        f" audit.event FOR VALUES FROM (timestamp '{first}' AT TIME ZONE 'UTC')"
        f" TO ((timestamp '{first}' + interval '1 month') AT TIME ZONE 'UTC'); END IF; END $$",
    )
    site.sql(database.superuser, "UPDATE audit.event SET at = :at WHERE id = :id", at=at, id=event_id)
