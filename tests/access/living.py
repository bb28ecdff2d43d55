"""A small partnership that lives: people share, answer, suspend, restrict, hand over, and time goes by. After each act what
everyone may read is compared with the oracle over the rows as they then are. The supplement of the matrix: it finds what
comes of several acts one after the other, through the real actions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hub.access.actor import Actor, Context
from hub.access.models import Emergency, Exclusion, Grant, Record
from hub.access.vocabulary import Audience, GrantState, Marking, Purpose, Section
from hub.cases.actions import create_case
from hub.cases.forms import CaseForm
from hub.cases.restricting import restrict_case
from hub.cases.vocabulary import CaseKind
from hub.chronology.actions import add_entry
from hub.chronology.forms import EntryForm
from hub.core import clock
from hub.core.errors import HubError
from hub.core.schema import Base
from hub.emergencies.actions import close_emergency, open_emergency
from hub.emergencies.forms import EmergencyForm
from hub.extensions import db
from hub.handovers.actions import accept_hand_over, offer_hand_over, refuse_hand_over
from hub.handovers.forms import AcceptForm, OfferForm
from hub.handovers.models import HandOver
from hub.handovers.vocabulary import HandOverState
from hub.interests.actions import declare_interest, end_interest
from hub.interests.forms import InterestForm
from hub.interests.models import DeclaredInterest
from hub.interests.vocabulary import InterestKind, Relation
from hub.people.actions import add_person
from hub.people.vocabulary import InvolvementRole
from hub.sharing.actions import answer_share, revoke_share, share_record
from hub.sharing.changing import change_share
from hub.sharing.ending import end_agreement, leave_agreement, resume_agreement, suspend_agreement
from hub.sharing.forms import ShareChange, ShareForm
from tests.access.both_walls import compare_orm, compare_reads
from tests.access.ground import DUMPED, LEADS, PURPOSES, READERS, RECIPIENTS, SPOCS, TEXT, TIMES, Ground
from tests.access.oracle import Oracle
from tests.access.verdicts import Result
from tests.access.worlds import NearMiss
from tests.fixtures.world import act_as

SECTIONS = st.lists(
    st.sampled_from([Section.PEOPLE, Section.VICTIM, Section.CHRONOLOGY]), unique=True, max_size=3
)
MARKINGS = st.sampled_from(Marking)


class Life(RuleBasedStateMachine):
    """Subclassed by the test, which gives it ground to stand on."""

    ground: Ground
    tally: Result

    @initialize()
    def begin(self) -> None:
        self.acts: list[str] = []
        self.world = self.ground.world
        with self.ground.superuser.begin() as connection:
            connection.execute(
                sa.text(
                    "INSERT INTO role_holding (user_id, partnership_id, role, granted_at)"
                    " SELECT m.user_id, t.partnership_id, 'supervisor', now() FROM team_membership m JOIN team t"
                    " ON t.id = m.team_id WHERE m.user_id = ANY (:users) ON CONFLICT DO NOTHING"
                ),
                {"users": [self.world.users[user] for user in LEADS.values()]},
            )
        self.contexts: dict[str, Context] = {name: act_as(self.world, name).context for name in READERS}
        for kind in (CaseKind.ASB, CaseKind.ASB):
            case = create_case(self.as_user("manager"), CaseForm(kind=kind, title="Noise, Ward X"))
            add_person(
                db.session.info["actor"],
                case,
                role=InvolvementRole.SUBJECT,
                given_names="Bo",
                family_name="Ferndale",
            )
            add_person(
                db.session.info["actor"],
                case,
                role=InvolvementRole.VICTIM,
                given_names="Ann",
                family_name="Wray",
            )
            add_entry(db.session.info["actor"], case.id, EntryForm(text=TEXT))
            db.session.commit()

    # ---- sharing ------------------------------------------------------------------------------------------------

    @rule(
        which=st.integers(0, 1), to=st.sampled_from(list(RECIPIENTS)), purpose=st.sampled_from(PURPOSES), sections=SECTIONS,
        marking=MARKINGS, adds=st.booleans(), days=st.sampled_from((1, 40)), taken=st.booleans(),
    )  # fmt: skip
    def share(
        self, which: int, to: str, purpose: Purpose, sections: list[Section], marking: Marking, adds: bool, days: int, taken: bool
    ) -> None:  # fmt: skip
        record = self.record(which)
        own = self.world.organisations[to] == record.owner_organisation_id
        form = ShareForm(
            to_organisation_id=self.world.organisations[to],
            to_team_id=self.world.teams["housing"] if own and to == "council" else None,
            sections=(Section.SUMMARY, *sections), purpose=None if own else purpose, reason="It is needed", max_marking=marking,
            may_contribute=adds, ends_at=clock.now() + timedelta(days=days),
        )  # fmt: skip

        def both() -> None:
            grant = share_record(self.lead_of(record), record.id, form)
            if taken:
                db.session.commit()
                answer_share(self.as_user(RECIPIENTS[to], purpose=purpose), grant.id, accept=True)

        self.act(f"share {which} with {to} for {purpose}, taken {taken}", both)

    @precondition(lambda self: self.grants(GrantState.PENDING))
    @rule(which=st.integers(0, 9), accept=st.booleans())
    def answer(self, which: int, accept: bool) -> None:
        grant = self.one_of(self.grants(GrantState.PENDING), which)
        user = next(
            user
            for name, user in RECIPIENTS.items()
            if self.world.organisations[name] == grant.to_organisation_id
        )
        purpose = Purpose(grant.purpose) if grant.purpose else None
        actor = lambda: self.as_user(user, purpose=purpose)  # noqa: E731
        self.act(
            f"answer, accept {accept}",
            lambda: answer_share(actor(), grant.id, accept=accept, reason="Not ours"),
        )

    @precondition(lambda self: self.grants())
    @rule(which=st.integers(0, 9))
    def revoke(self, which: int) -> None:
        grant = self.one_of(self.grants(), which)
        self.act("revoke", lambda: revoke_share(self.lead_of(grant), grant.id, reason="Over"))

    @precondition(lambda self: self.grants())
    @rule(which=st.integers(0, 9), sections=SECTIONS, marking=MARKINGS, adds=st.booleans())
    def change(self, which: int, sections: list[Section], marking: Marking, adds: bool) -> None:
        grant = self.one_of(self.grants(), which)
        wanted = ShareChange((Section.SUMMARY, *sections), marking, adds, grant.ends_at, "Less is enough")
        self.act(f"change to {sections}", lambda: change_share(self.lead_of(grant), grant.id, wanted))

    # ---- agreements ---------------------------------------------------------------------------------------------

    @rule(who=st.sampled_from(list(SPOCS)))
    def suspend(self, who: str) -> None:
        self.act(
            f"{who} suspends",
            lambda: suspend_agreement(self.as_user(SPOCS[who]), self.agreement, why="A breach"),
        )

    @rule(who=st.sampled_from(list(SPOCS)))
    def resume(self, who: str) -> None:
        self.act(f"{who} resumes", lambda: resume_agreement(self.as_user(SPOCS[who]), self.agreement))

    @precondition(lambda self: len(self.acts) > 8)
    @rule(who=st.sampled_from(list(SPOCS)), leaves=st.booleans())
    def stop(self, who: str, leaves: bool) -> None:
        stop = leave_agreement if leaves else end_agreement
        self.act(
            f"{who} {stop.__name__}",
            lambda: stop(self.as_user(SPOCS[who]), self.agreement, why="No longer needed"),
        )

    # ---- time, hats, walls --------------------------------------------------------------------------------------

    @rule(gone=st.sampled_from((timedelta(minutes=61), timedelta(hours=25), timedelta(days=41))))
    def time_goes_by(self, gone: timedelta) -> None:
        """As seen from the rows: the clock of the database can't be moved, so everything else goes back."""
        with self.ground.superuser.begin() as connection:
            # copies are moved like their originals, so that nothing needs to cascade
            connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
            connection.execute(
                sa.text("ALTER TABLE record_grant DROP CONSTRAINT IF EXISTS ex_record_grant_one_live")
            )
            for table, columns in TIMES.items():
                moved = ", ".join(f"{name} = {name} - CAST(:gone AS interval)" for name in columns)
                connection.execute(sa.text(f"UPDATE {table} SET {moved}"), {"gone": gone})
        self.acts.append(f"{gone} go by")

    @rule(
        who=st.sampled_from(READERS),
        purpose=st.sampled_from([*PURPOSES, Purpose.TENANCY]),
        clearance=st.integers(0, 1),
    )
    def reader_changes(self, who: str, purpose: Purpose, clearance: int) -> None:
        self.contexts[who] = replace(self.contexts[who], purpose=purpose.value, clearance=clearance)
        self.acts.append(f"{who} works for {purpose}, cleared to {clearance}")

    @rule(which=st.integers(0, 1), restricted=st.booleans())
    def restrict(self, which: int, restricted: bool) -> None:
        record = self.record(which)
        self.act(
            f"restrict {which} {restricted}",
            lambda: restrict_case(
                self.lead_of(record), record.id, restricted=restricted, reason="It is delicate"
            ),
        )

    @rule(which=st.integers(0, 1), marking=MARKINGS)
    def mark(self, which: int, marking: Marking) -> None:
        record = self.record(which)
        changed = sa.update(Record).where(Record.id == record.id).values(marking=int(marking))

        def marked() -> None:
            self.lead_of(record)
            db.session.execute(changed)

        self.act(f"mark {which} {marking.name}", marked)

    @rule(
        which=st.integers(0, 1),
        who=st.sampled_from(READERS),
        audience=st.sampled_from([None, *Audience]),
        marking=MARKINGS,
    )
    def write(self, which: int, who: str, audience: Audience | None, marking: Marking) -> None:
        named = (Audience.ORGANISATIONS, Audience.PEOPLE)
        ids = (self.world.organisations["police"], self.world.users["officer"]) if audience in named else ()
        form = EntryForm(text=TEXT, audience=audience, audience_ids=ids, marking=marking)
        purpose = Purpose(self.contexts[who].purpose)
        self.act(
            f"{who} writes",
            lambda: add_entry(self.as_user(who, purpose=purpose), self.record(which).id, form),
        )

    @rule(who=st.sampled_from(("officer", "sergeant", "manager")), surname=st.booleans())
    def declare(self, who: str, surname: bool) -> None:
        kind = InterestKind.SURNAME if surname else InterestKind.PERSON
        form = InterestForm(kind, Relation.FRIEND, "" if surname else "Bo", "Ferndale")
        self.act(f"{who} declares", lambda: declare_interest(self.as_user(who), form))

    @precondition(lambda self: self.rows(DeclaredInterest))
    @rule(which=st.integers(0, 9))
    def lift(self, which: int) -> None:
        declared = self.one_of(self.rows(DeclaredInterest), which)
        by = "manager" if declared.organisation_id == self.world.organisations["council"] else "sergeant"
        self.act("lift", lambda: end_interest(self.as_user(by), declared.id))

    @rule(which=st.integers(0, 1), who=st.sampled_from(READERS))
    def exclude(self, which: int, who: str) -> None:
        with self.ground.superuser.begin() as connection:
            connection.execute(
                sa.insert(Exclusion.__table__).values(
                    user_id=self.world.users[who], organisation_id=self.contexts[who].organisation_id,
                    record_id=self.record(which).id, why="A relative",
                )
            )  # fmt: skip
        self.acts.append(f"{who} is excluded from {which}")

    @rule(which=st.integers(0, 1), who=st.sampled_from(READERS))
    def break_glass(self, which: int, who: str) -> None:
        form = EmergencyForm(self.record(which).reference, "Somebody is about to be hurt there", 60)
        self.act(f"{who} opens {which} in an emergency", lambda: open_emergency(self.as_user(who), form))

    @precondition(lambda self: self.rows(Emergency))
    @rule(which=st.integers(0, 9))
    def close(self, which: int) -> None:
        opened = self.one_of(self.rows(Emergency), which)
        user = next(name for name, key in self.world.users.items() if key == opened.user_id)
        self.act("close the emergency", lambda: close_emergency(self.as_user(user), opened.id))

    # ---- hand-over ----------------------------------------------------------------------------------------------

    @rule(which=st.integers(0, 1), to=st.sampled_from(list(LEADS)), stays=st.booleans())
    def offer(self, which: int, to: str, stays: bool) -> None:
        record = self.record(which)
        organisation = (
            self.contexts[LEADS[to]].organisation_id
            if LEADS[to] in self.contexts
            else record.owner_organisation_id
        )
        assert organisation is not None
        outside = organisation != record.owner_organisation_id
        form = OfferForm(
            organisation, self.world.teams[to], "They know the family", purpose=Purpose.PREVENT_CRIME if outside else None,
            agreement_id=self.agreement if outside else None, stays=(Section.CHRONOLOGY,) if outside and stays else (),
        )  # fmt: skip
        self.act(
            f"offer {which} to {to}",
            lambda: offer_hand_over(self.lead_of(record), record.id, form, case_kind="asb"),
        )

    @precondition(lambda self: self.offers())
    @rule(which=st.integers(0, 9), accept=st.booleans())
    def take(self, which: int, accept: bool) -> None:
        offered = self.one_of(self.offers(), which)
        team = next(name for name, key in self.world.teams.items() if key == offered.to_team_id)
        actor = lambda: self.as_user(LEADS[team], purpose=Purpose.PREVENT_CRIME)  # noqa: E731
        if accept:
            form = AcceptForm("cda_115", "art6_1e", "") if offered.agreement_id else AcceptForm()
            self.act(f"{team} accepts", lambda: accept_hand_over(actor(), offered.id, form))
        else:
            self.act(f"{team} refuses", lambda: refuse_hand_over(actor(), offered.id, reason="Not ours"))

    # ---- after each act -----------------------------------------------------------------------------------------

    @invariant()
    def everybody_reads_what_the_oracle_says(self) -> None:
        rows, now = self.dumped()
        told = "; ".join(self.acts[-6:])
        worlds = [
            NearMiss(number, name, told, asdict(context), rows)
            for number, (name, context) in enumerate(self.contexts.items())
        ]
        oracles = {one.number: Oracle(rows, one.reader, now) for one in worlds}
        result = Result()
        result.add(compare_reads(self.ground.app, worlds, oracles))
        result.add(compare_orm(self.ground.superuser, worlds, oracles))
        self.tally.add(result)
        self.tally.worlds += 1
        assert not result.differences, "\n".join([*result.differences, *self.acts])

    def teardown(self) -> None:
        self.ground.end()

    # ---- how it is done -----------------------------------------------------------------------------------------

    def act(self, told: str, doing: Callable[[], Any]) -> None:
        """Carried out and committed; or refused, by whatever rule there is for it, and nothing of it stays."""
        try:
            doing()
            db.session.commit()
        except HubError as refused:
            db.session.rollback()
            told = f"({told}: {refused.code})"
        self.acts.append(told)

    def as_user(self, user: str, *, purpose: Purpose | None = None) -> Actor:
        actor = act_as(self.world, user, purpose=purpose)
        db.session.info["actor"] = actor
        return actor

    def lead_of(self, row: Any) -> Actor:
        team = next(name for name, key in self.world.teams.items() if key == row.lead_team_id)
        return self.as_user(LEADS[team])

    @property
    def agreement(self) -> UUID:
        return self.world.agreements["sharing"]

    def rows(self, model: type[Any]) -> list[Any]:
        with self.ground.superuser.begin() as connection:
            return list(connection.execute(sa.select(model.__table__).order_by(model.id)))

    def record(self, which: int) -> Any:
        return self.rows(Record)[which]

    def grants(self, state: GrantState | None = None) -> list[Any]:
        return [one for one in self.rows(Grant) if one.revoked_at is None and state in (None, one.state)]

    def offers(self) -> list[Any]:
        return [one for one in self.rows(HandOver) if one.state == HandOverState.OFFERED]

    @staticmethod
    def one_of(rows: list[Any], which: int) -> Any:
        return rows[which % len(rows)]

    def dumped(self) -> tuple[dict[str, list[dict[str, Any]]], Any]:
        with self.ground.superuser.begin() as connection:
            rows = {
                name: [
                    dict(row._mapping) for row in connection.execute(sa.select(Base.metadata.tables[name]))
                ]
                for name in DUMPED
            }
            return rows, connection.execute(sa.select(sa.func.now())).scalar_one()
