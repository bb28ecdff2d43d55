"""The frame of every page about one case: opened and logged once, with what its header, tabs and menu need."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from hub.access.actor import Actor
from hub.access.models import Agreement, Grant
from hub.access.permissions import Permission
from hub.access.queries import Right, may_add
from hub.access.vocabulary import PURPOSE_LABELS, Marking, Purpose, Section
from hub.accounts.queries import organisation_names, team_names, user_names
from hub.attachments.choices import sections_to_add
from hub.attachments.vocabulary import FILE_SECTIONS
from hub.cases.models import Case
from hub.cases.policy import may_close, next_states
from hub.cases.queries import OpenedCase, open_case
from hub.cases.vocabulary import CASE_KIND_LABELS, ENDED, CaseKind, CaseStatus
from hub.extensions import db
from hub.sharing.queries import GrantRow, find_rows
from hub.web.context import mark_page
from hub.web.filters import format_date

PERSONAL_DATA = "personal data"


@dataclass(frozen=True)
class May:
    """What the reader may do on this case now. Templates show no button for the rest; actions check again."""

    change: bool = False
    move: bool = False
    close: bool = False
    share: bool = False
    entry: bool = False
    attach: bool = False
    hold: bool = False
    disclose: bool = False
    person: bool = False
    consent: bool = False
    hand_over: bool = False
    erase: bool = False


@dataclass(frozen=True)
class CasePage:
    """Everything that `casefile/layout.html` shows, and what the parts build on."""

    case: Case
    part: str
    opened: OpenedCase
    lead_organisation: str
    lead_team: str
    lead_officer: str
    why: str
    may: May
    tabs: tuple[dict[str, Any], ...]
    actions: tuple[dict[str, Any], ...]
    # the shares by which the reader sees it, with their names; none for who leads it
    shares: tuple[GrantRow, ...] = ()

    @property
    def right(self) -> Right:
        return self.opened.right

    @property
    def grants(self) -> tuple[Grant, ...]:
        return self.opened.grants

    @property
    def sections(self) -> frozenset[str] | None:
        """The sections that the reader may read; None for all."""
        return self.opened.sections

    @property
    def marking(self) -> str:
        return Marking(self.case.marking).label

    @property
    def kind(self) -> str:
        return CASE_KIND_LABELS[CaseKind(self.case.kind)]

    @property
    def ended(self) -> bool:
        return CaseStatus(self.case.status) in ENDED

    def reads(self, *sections: Section | str) -> bool:
        """May the reader read any of these sections? Templates name them by their codes."""
        return self.sections is None or any(section in self.sections for section in sections)

    def mark(self, item_markings: Iterable[int] = ()) -> None:
        """Marks the page with the highest of the case's marking and those of the items that it shows."""
        mark_page(max([self.case.marking, *item_markings]), PERSONAL_DATA)


def open_case_page(actor: Actor, case_id: UUID, part: str) -> CasePage:
    """Opens a case for one of its tabs: writes case.opened with `part`, marks the page. `NotVisible` where hidden."""
    found = open_case(actor, case_id, part)
    case = found.case
    owner = organisation_names([case.owner_organisation_id]).get(case.owner_organisation_id, "")
    may = _may(actor, found)
    page = CasePage(
        case=case,
        part=part,
        opened=found,
        lead_organisation=owner,
        lead_team=team_names([case.lead_team_id]).get(case.lead_team_id, ""),
        lead_officer=user_names([case.lead_officer_id]).get(case.lead_officer_id, ""),
        why=_why(actor, found, owner),
        may=may,
        tabs=_tabs(found, part),
        actions=_actions(found, may),
        shares=tuple(find_rows(actor, found.grants)),
    )
    page.mark()
    return page


def _may(actor: Actor, found: OpenedCase) -> May:
    case, right = found.case, found.right
    live = CaseStatus(case.status) not in ENDED
    grants = list(found.grants)
    people = may_add(right, grants, Section.PEOPLE) or may_add(right, grants, Section.VICTIM)
    writes = may_add(right, grants, Section.CHRONOLOGY) or right.via == "emergency"
    return May(
        change=live and right.leads and actor.may(Permission.CASE_CHANGE),
        move=right.leads and actor.may(Permission.CASE_MOVE) and bool(next_states(actor, case)),
        close=right.leads and may_close(actor, case),
        share=live and right.leads and actor.may(Permission.CASE_SHARE),
        entry=writes and actor.may(Permission.ENTRY_ADD),
        attach=live and bool(sections_to_add(right, grants)) and actor.may(Permission.FILE_ATTACH),
        hold=right.leads and actor.may(Permission.FILE_HOLD),
        disclose=right.leads and actor.may(Permission.FILE_EXPORT),
        person=live and people and actor.may(Permission.PERSON_ADD),
        consent=people and actor.may(Permission.CONSENT_RECORD),
        # the lead team's own organisation alone: a colleague of another employer leads with it and doesn't give it away
        hand_over=live
        and right.via == "lead"
        and case.owner_organisation_id == actor.organisation_id
        and actor.may(Permission.CASE_HAND_OVER),
        erase=not live
        and right.leads
        and case.owner_organisation_id == actor.organisation_id
        and actor.may(Permission.ERASURE_ASK),
    )


def _why(actor: Actor, found: OpenedCase, owner: str) -> str:
    right = found.right
    if right.via == "lead":
        return "your team leads this case."
    if right.via == "organisation":
        return "your organisation opens its cases to all its teams."
    if right.via == "emergency":
        return "you opened it in an emergency. Every page is recorded and will be reviewed."
    grant = right.grant
    if grant is None:
        return "it is open to you under the sharing rule."
    if grant.agreement_id is None:
        return "another team of your organisation shares it with you."
    agreement = db.session.get(Agreement, grant.agreement_id)
    purpose = PURPOSE_LABELS[Purpose(grant.purpose)] if grant.purpose else ""
    stands_on = f" under agreement {agreement.reference}" if agreement is not None else ""
    # it ends at midnight: the day before is the last
    until = f", until {format_date(grant.ends_at - timedelta(seconds=1))}" if grant.ends_at else ""
    return (
        f"{owner} shares it with your organisation{stands_on}, to {purpose[:1].lower()}{purpose[1:]}{until}."
    )


def _tabs(found: OpenedCase, part: str) -> tuple[dict[str, Any], ...]:
    def reads(*sections: Section) -> bool:
        return found.sections is None or any(section.value in found.sections for section in sections)

    leads = found.right.leads
    tabs = (
        ("summary", "Summary", "", True),
        ("log", "Log", "/log", reads(Section.CHRONOLOGY)),
        ("people", "People and places", "/people", reads(Section.PEOPLE, Section.VICTIM)),
        ("files", "Files", "/files", reads(*FILE_SECTIONS)),
        ("sharing", "Sharing", "/sharing", leads),
        ("access", "Access history", "/access", leads),
    )
    base = f"/cases/{found.case.id}"
    return tuple(
        {"label": label, "href": base + path, "active": name == part}
        for name, label, path, shown in tabs
        if shown
    )


def _actions(found: OpenedCase, may: May) -> tuple[dict[str, Any], ...]:
    base = f"/cases/{found.case.id}"
    reads_people = found.sections is None or found.sections & {Section.PEOPLE, Section.VICTIM}
    offered = (
        (may.entry, {"label": "Add to the log", "href": f"{base}/log#new-entry", "primary": True}),
        (may.share, {"label": "Share this case", "href": f"{base}/share"}),
        (may.move, {"label": "Change its status", "href": f"{base}/status"}),
        (may.change, {"label": "Change its details", "href": f"{base}/edit"}),
        (may.person, {"label": "Add a person, place or vehicle", "href": f"{base}/people"}),
        (may.attach, {"label": "Attach files", "href": f"{base}/files#attach"}),
        (reads_people, {"label": "Consents", "href": f"{base}/consents"}),
        (may.change, {"label": "Restrict it to named people", "href": f"{base}/restrict"}),
        (found.right.leads, {"label": "Who has looked, by month", "href": f"{base}/seen"}),
        (may.hand_over, {"label": "Hand it over", "href": f"{base}/hand-over"}),
        (may.erase, {"label": "Have it erased", "href": f"{base}/erase"}),
    )
    return tuple(action for allowed, action in offered if allowed)
