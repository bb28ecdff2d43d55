"""Plays a day in the partnership live: looks, searches, a share, and refusals, so that the auditor has something to see.

Each look is a request's worth: its event is committed before anything is read, like every other reader's.
"""

from __future__ import annotations

import random

from hub.access.actor import NOBODY, Actor
from hub.access.guard import enter
from hub.access.vocabulary import Purpose, Section
from hub.attachments.actions import attach
from hub.cases.queries import open_case
from hub.cases.vocabulary import CaseKind
from hub.core.errors import Conflict, HubError, Unavailable
from hub.demo.aftermath import LEADERS, MANAGERS, SERGEANTS, Told, team_in
from hub.demo.cast import PEOPLE, TEAMS
from hub.demo.papers import PAPERS
from hub.demo.stage import Stage
from hub.demo.telling import Teller
from hub.extensions import db
from hub.search.queries import list_matches
from hub.sharing.actions import share_record
from hub.sharing.forms import ShareForm

LOOKS = 220
SEARCHES = 40
REFUSALS = 30
FILES = 24
TERMS = (
    "Wadswoth",
    "noise Harbour",
    "section 59",
    "diary",
    "red tank",
    "Simons",
    "Elm Court",
    "outreach",
    "Zielinski",
)


def play(stage: Stage, teller: Teller, seed: int) -> None:
    """A few hundred events by people of the cast, in their usual hats."""
    draw = random.Random(seed + 1)  # noqa: S311 - invention, not secrets
    for _ in range(LOOKS):
        told = draw.choice(teller.cases)
        readers = (told.owner, told.owner, MANAGERS[told.area], SERGEANTS[told.area], "dana.whitlock")
        _look(stage, draw.choice(readers), told)
    for _ in range(SEARCHES):
        actor = _as(stage, draw.choice([key for keys in LEADERS.values() for key in keys.split()]))
        list_matches(actor, draw.choice(TERMS))
    for _ in range(REFUSALS):
        told = draw.choice(teller.cases)
        stranger = next(area for area in LEADERS if area != told.area)
        _look(stage, LEADERS[stranger].split()[0], told)
    _share_without_agreement(stage, teller)
    _attach(stage, teller, draw)
    enter(db.session(), NOBODY)


def _as(stage: Stage, key: str, team: str | None = None) -> Actor:
    """A new turn: nothing of the last reader is left in the session."""
    actor = stage.play(key, team=team)
    db.session.commit()
    enter(db.session(), actor)
    return actor


def _look(stage: Stage, key: str, told: Told) -> None:
    person = next(one for one in PEOPLE if one.key == key)
    team = next((team for team in person.teams if TEAMS[team][1] == told.area), None)
    actor = _as(stage, key, team)
    try:
        open_case(actor, told.id, "summary")
    except HubError:
        # a refused look is written down too; that is what it is played for
        db.session.rollback()


def _attach(stage: Stage, teller: Teller, draw: random.Random) -> None:
    """Files on some of the neighbour disputes. Without an object store there are none, and the rest stands."""
    disputes = [told for told in teller.cases if told.kind is CaseKind.ASB]
    for told in draw.sample(disputes, min(FILES, len(disputes))):
        actor = _as(stage, told.owner, team_in(told.owner, told.area))
        name, kind, description, media_type, content = draw.choice(PAPERS)(draw, stage.now)
        try:
            attach(
                actor,
                told.id,
                name=name,
                kind=kind,
                description=description,
                media_type=media_type,
                blocks=[content],
            )
            db.session.commit()
        except Conflict:
            # closed cases take no files
            db.session.rollback()
        except Unavailable:
            db.session.rollback()
            return


def _share_without_agreement(stage: Stage, teller: Teller) -> None:
    """Somebody tries to share with a partner whose agreement is suspended, unsigned or over."""
    for area, owner, recipient in (
        ("SLT", "nia.corrigan", "HBH"),
        ("EMR", "colm.devlin", "LNT"),
        ("NBK", "amara.okafor", "OPC"),
    ):
        told = next((one for one in teller.cases if one.area == area and one.owner == owner), None)
        if told is None:
            continue
        actor = _as(stage, owner)
        form = ShareForm(
            to_organisation_id=stage.organisations[recipient],
            sections=(Section.SUMMARY,),
            reason="They asked for it by telephone.",
            purpose=Purpose.TENANCY,
            ends_at=stage.now.replace(year=stage.now.year + 1, day=1),
        )
        try:
            share_record(actor, told.id, form)
        except HubError:
            db.session.rollback()
