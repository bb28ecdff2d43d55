"""The log made readable: names of users, organisations and teams, references of records, words for acts and bases."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from hub.access.actor import Actor
from hub.access.models import Agreement
from hub.access.permissions import Permission
from hub.accounts.models import Organisation, User
from hub.accounts.queries import organisation_names, team_names, user_names
from hub.audit.catalogue import Category
from hub.audit.policy import (
    CATEGORY_LABELS,
    LOG_PURPOSE_LABELS,
    OUTCOMES,
    SOURCE_LABELS,
    LogPurpose,
    act_label,
    basis_label,
)
from hub.audit.queries import EventRow, Subject, find_references
from hub.extensions import db

NOBODY = "Nobody signed in"


@dataclass(frozen=True)
class Line:
    """One event as a row of the desk. References only: an auditor never reads content."""

    id: UUID
    at: datetime
    who: str
    organisation: str
    team: str
    user_id: UUID | None
    act: str
    category: str
    outcome: str
    tone: str
    references: tuple[Subject, ...]
    recipients: str
    basis: str
    source: str


@dataclass(frozen=True)
class Detail:
    """One event laid out: groups of a name and a value each."""

    line: Line
    groups: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    hash: str
    sound: bool
    body: str


@dataclass(frozen=True)
class Choices:
    """What the filters offer."""

    users: Sequence[tuple[UUID, str]]
    organisations: Sequence[tuple[UUID, str]]


def find_lines(actor: Actor, rows: Sequence[EventRow]) -> list[Line]:
    """Events as rows, all names in one query each."""
    if not rows:
        return []
    users = user_names(row.user_id for row in rows if row.user_id)
    told = [one for row in rows for one in row.recipients]
    organisations = organisation_names([*(row.organisation_id for row in rows if row.organisation_id), *told])
    teams = team_names(row.team_id for row in rows if row.team_id)
    references = find_references(actor, [row.id for row in rows], times=[row.at for row in rows])
    agreements = _agreements_of(rows)
    return [_line(row, users, organisations, teams, references, agreements) for row in rows]


def find_choices(actor: Actor) -> Choices:
    """The users of the auditor's own organisation, closed accounts too, and all organisations."""
    actor.check_may(Permission.AUDIT_READ)
    users = db.session.execute(
        sa.select(User.id, User.name).where(User.organisation_id == actor.organisation_id).order_by(User.name)
    )
    organisations = db.session.execute(
        sa.select(Organisation.id, Organisation.name).order_by(Organisation.name)
    )
    return Choices([(row[0], row[1]) for row in users], [(row[0], row[1]) for row in organisations])


def find_detail(actor: Actor, row: EventRow, *, sound: bool) -> Detail:
    """One event laid out to read. `sound` says whether its bytes still have its hash."""
    line = find_lines(actor, [row])[0]
    names = _names_of(actor, row)
    told = row.told
    who = told["actor"] or {}
    groups = (
        (
            "What",
            (
                ("Act", f"{line.act} ({row.act})"),
                ("Category", line.category),
                ("Outcome", line.outcome),
                ("About", _thing(row, names)),
                ("Basis", line.basis),
                *((_words(name), _value(value, names)) for name, value in told["facts"].items()),
            ),
        ),
        (
            "Who",
            (
                ("User", line.who),
                ("Organisation", line.organisation),
                ("Team", line.team),
                ("Roles", ", ".join(_words(role) for role in who.get("roles", ()))),
                ("Signed in by", _words(who["authenticated"]["how"]) if who else ""),
                ("Session", str(who.get("session", ""))[:16]),
            ),
        ),
        (
            "Shown or changed",
            (
                ("Number", str(told["shown"]["count"])),
                ("Records", _listed(row.record_ids, names)),
                ("People", _listed(row.person_ids, names)),
                ("Recipients", line.recipients),
                ("Sealed texts", ", ".join(_words(name) for name in told["commitments"])),
                ("File", _flat(told["file"] or {})),
            ),
        ),
        (
            "Where from",
            (
                ("Source", line.source),
                *((_words(k), str(v)) for k, v in told["source"].items() if k != "kind"),
            ),
        ),
    )
    shown = tuple((title, tuple(pair for pair in pairs if pair[1])) for title, pairs in groups)
    return Detail(line, tuple(group for group in shown if group[1]), row.hash.hex(), sound, row.body.decode())


def _line(
    row: EventRow,
    users: dict[UUID, str],
    organisations: dict[UUID, str],
    teams: dict[UUID, str],
    references: dict[UUID, Subject],
    agreements: dict[str, str],
) -> Line:
    ids = dict.fromkeys([*([row.object_id] if row.object_id else []), *row.record_ids, *row.person_ids])
    found = tuple(references[one] for one in ids if one in references)
    words, tone = OUTCOMES.get(row.outcome, (row.outcome, "grey"))
    return Line(
        id=row.id,
        at=row.at,
        who=users.get(row.user_id, "A user of another time") if row.user_id else NOBODY,
        organisation=organisations.get(row.organisation_id, "") if row.organisation_id else "",
        team=teams.get(row.team_id, "") if row.team_id else "",
        user_id=row.user_id,
        act=act_label(row.act),
        category=CATEGORY_LABELS[Category(row.category)],
        outcome=words,
        tone=tone,
        references=found,
        recipients=", ".join(dict.fromkeys(organisations.get(one, str(one)) for one in row.recipients)),
        basis=basis_label(row.told["basis"], agreements),
        source=SOURCE_LABELS.get(row.source, row.source),
    )


def _agreements_of(rows: Iterable[EventRow]) -> dict[str, str]:
    """References of the agreements that the events stand on, as far as the reader may see those."""
    ids = {UUID(row.told["basis"]["agreement"]) for row in rows if "agreement" in row.told["basis"]}
    if not ids:
        return {}
    found = db.session.execute(sa.select(Agreement.id, Agreement.reference).where(Agreement.id.in_(ids)))
    return {str(row[0]): row[1] for row in found}


def _names_of(actor: Actor, row: EventRow) -> dict[str, str]:
    """Words for the ids that the event holds."""
    ids = {UUID(value) for value in row.told["facts"].values() if _is_id(value)}
    ids |= {row.object_id} if row.object_id else set()
    names = {
        str(key): name
        for found in (user_names(ids), organisation_names(ids), team_names(ids))
        for key, name in found.items()
    }
    return names | {
        str(key): one.reference for key, one in find_references(actor, [row.id], times=[row.at]).items()
    }


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and len(value) == 36 and value.count("-") == 4


def _thing(row: EventRow, names: dict[str, str]) -> str:
    if row.object_type is None:
        return ""
    version = f", revision {row.object_version}" if row.object_version else ""
    return f"{_words(row.object_type)} {_value(str(row.object_id), names) if row.object_id else ''}{version}".strip()


def _listed(ids: Iterable[UUID], names: dict[str, str]) -> str:
    return ", ".join(names.get(str(one), str(one)) for one in ids)


def _value(value: Any, names: dict[str, str]) -> str:
    if value in set(LogPurpose):
        return LOG_PURPOSE_LABELS[LogPurpose(value)]
    return names.get(value, value) if isinstance(value, str) else str(value)


def _flat(value: dict[str, Any]) -> str:
    return ", ".join(f"{_words(name)} {part}" for name, part in value.items())


def _words(code: str) -> str:
    return code.replace("_", " ").capitalize()
