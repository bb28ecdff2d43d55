"""What hangs on no record of the arena's own: requests, hand-overs, emergencies, interests, assurances, the month's access
list; a row of its own for each act, so that none takes the ground from under the others."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from threading import Event
from uuid import UUID, uuid4

import sqlalchemy as sa

from hub.access.actor import NOBODY, RequestFacts, Source
from hub.access.guard import enter
from hub.access.models import Exclusion
from hub.access.permissions import Role
from hub.access.vocabulary import Purpose
from hub.access_requests.actions import make_request
from hub.access_requests.forms import AskForm
from hub.access_requests.vocabulary import Urgency
from hub.accounts import sessions
from hub.accounts.models import RoleHolding, Team, TeamMembership, User
from hub.accounts.vocabulary import DisabledWhy, Method
from hub.assurances.actions import submit_assurance
from hub.assurances.forms import AnswersForm
from hub.assurances.questions import questionnaire
from hub.attestations import jobs as attestation_jobs
from hub.attestations.models import Attestation
from hub.audit.policy import LogPurpose
from hub.audit.recording import append
from hub.cases.actions import create_case
from hub.cases.forms import CaseForm
from hub.cases.models import Case
from hub.cases.vocabulary import CaseKind
from hub.core import clock
from hub.directories.actions import make_token
from hub.emergencies.actions import close_emergency, open_emergency
from hub.emergencies.forms import EmergencyForm
from hub.extensions import db
from hub.handovers.actions import offer_hand_over
from hub.interests.actions import declare_interest
from hub.interests.forms import InterestForm
from hub.interests.vocabulary import InterestKind, Relation
from hub.passkeys.models import Passkey
from hub.people.actions import add_person
from hub.people.vocabulary import InvolvementRole
from hub.reviews import jobs as review_jobs
from hub.reviews.actions import answer_access, draw_sample
from hub.reviews.forms import SampleForm
from hub.reviews.models import Alert, SampledAccess
from hub.settings.actions import set_value
from hub.settings.catalogue import DORMANT_DAYS
from hub.settings.forms import SettingForm
from hub.settings.models import SettingValue
from tests.attacks.asked_roles import ask_for_roles
from tests.conftest import by_worker
from tests.fixtures.facts import told_fact
from tests.fixtures.handing import offer_form
from tests.fixtures.planting import plant_roles
from tests.fixtures.world import World, act_as

SOUGHT = ("Devon", "Marchbanks")
REASON = "Somebody is about to be hurt there, a caller says"


@dataclass
class Asides:
    """`ours` stands in addresses for any route, `acts` for one route alone, `theirs` is nothing that we may know of."""

    ours: dict[str, UUID] = field(default_factory=dict)
    acts: dict[str, dict[str, UUID]] = field(default_factory=dict)
    theirs: dict[str, UUID] = field(default_factory=dict)
    # a record of the council that a partner asked for, and the reference of one of the police's for an emergency
    sought_case: UUID | None = None
    # the case of which a landlord was told a fact
    told_case: UUID | None = None
    reference: str = ""


def beside(world: World) -> Asides:
    """Made through the real actions; committed."""
    made = Asides()
    cases = {lead: [_case(world, lead) for _ in range(3)] for lead in ("manager", "sergeant")}
    made.sought_case, made.reference = cases["manager"][0].id, cases["sergeant"][1].reference
    _requests(world, made)
    _emergencies(world, made, cases)
    _hand_overs(world, made, cases)
    _interests(world, made)
    _administration(world, made)
    _role_changes(world, made)
    _reviews(world, made)
    _settings(world, made)
    made.told_case = _case(world, "officer").id
    made.acts["facts.read"] = {"grant_id": told_fact(world, made.told_case)}
    return made


def _case(world: World, lead: str, names: tuple[str, str] = SOUGHT) -> Case:
    actor = act_as(world, lead)
    case = create_case(actor, CaseForm(kind=CaseKind.ASB, title="Noise, Harbour"))
    add_person(actor, case, role=InvolvementRole.SUSPECT, given_names=names[0], family_name=names[1])
    db.session.commit()
    return case


def _requests(world: World, made: Asides) -> None:
    def ask(user: str, of: str) -> UUID:
        form = AskForm(" ".join(SOUGHT), Urgency.ROUTINE, "Whether he is known", "Officers call tomorrow")
        request = make_request(act_as(world, user), world.organisations[of], form)
        db.session.commit()
        return request.id

    made.ours["request_id"] = ask("sergeant", "council")
    made.acts["access_requests.withdraw"] = {"request_id": ask("officer", "police")}
    made.theirs["request_id"] = ask("yot_worker", "police")


def _emergencies(world: World, made: Asides, cases: dict[str, list[Case]]) -> None:
    def open_one(user: str, case: Case, *, over: bool) -> UUID:
        actor = act_as(world, user)
        emergency = open_emergency(actor, EmergencyForm(case.reference, REASON))
        db.session.commit()
        if over:
            close_emergency(actor, emergency.id)
            db.session.commit()
        return emergency.id

    made.ours["emergency_id"] = open_one("sergeant", cases["manager"][1], over=True)
    made.acts["emergencies.close"] = {"emergency_id": open_one("officer", cases["sergeant"][2], over=False)}
    made.theirs["emergency_id"] = open_one("yot_worker", cases["sergeant"][0], over=True)


def _hand_overs(world: World, made: Asides, cases: dict[str, list[Case]]) -> None:
    """Ours is offered to the youth justice service; two of the police's are offered to us."""
    make_supervisor(world, "yot_worker")
    held = make_supervisor(world, "sergeant")

    def offer(user: str, case: Case, to: str) -> UUID:
        form = offer_form(world, to, purpose=Purpose.PREVENT_CRIME, agreement_id=world.agreements["sharing"])
        made_ = offer_hand_over(act_as(world, user), case.id, form, case_kind="asb")
        db.session.commit()
        return made_.id

    made.ours["hand_over_id"] = offer("manager", cases["manager"][2], "yjs")
    made.acts["hand_overs.accept"] = {"hand_over_id": offer("sergeant", cases["sergeant"][0], "safety")}
    made.acts["hand_overs.refuse"] = {"hand_over_id": offer("sergeant", cases["sergeant"][2], "safety")}
    made.theirs["hand_over_id"] = offer("sergeant", _case(world, "sergeant"), "yjs")
    # for this one afternoon only
    enter(db.session(), NOBODY)
    db.session.merge(held).ended_at = clock.now()
    db.session.commit()


def make_supervisor(world: World, user: str) -> RoleHolding:
    """Only a supervisor offers a case, and only a team that has one is offered any."""
    enter(db.session(), NOBODY)
    key = (world.users[user], world.partnerships["northbrook"], "supervisor")
    plant_roles([key])
    held = db.session.get_one(RoleHolding, key)
    db.session.commit()
    return held


def _interests(world: World, made: Asides) -> None:
    def declare(user: str, family_name: str) -> UUID:
        form = InterestForm(
            InterestKind.PERSON, Relation.FAMILY, given_names="Oisín", family_name=family_name
        )
        interest = declare_interest(act_as(world, user), form)
        db.session.commit()
        return interest.id

    def exclusion(interest_id: UUID, user: str) -> UUID:
        act_as(world, user)
        found = sa.select(Exclusion.id).where(Exclusion.interest_id == interest_id).order_by(Exclusion.id)
        return db.session.scalars(found).first() or interest_id

    _case(world, "manager", ("Oisín", "Tuama"))
    _case(world, "sergeant", ("Oisín", "Drury"))
    made.ours["interest_id"] = declare("reader", "Tuama")
    made.ours["exclusion_id"] = exclusion(made.ours["interest_id"], "manager")
    made.acts["interests.end"] = {"interest_id": declare("reader", "Nowhere")}
    made.theirs["interest_id"] = declare("sergeant_east", "Drury")
    made.theirs["exclusion_id"] = exclusion(made.theirs["interest_id"], "sergeant_east")


def _reviews(world: World, made: Asides) -> None:
    """An alert about a series of refusals, and a sample of looks, in the council's log and in the police's."""
    began = clock.now() - timedelta(days=1)
    for user, auditor, side in (
        ("officer", "auditor", made.ours),
        ("sergeant", "police_auditor", made.theirs),
    ):
        actor = act_as(world, user)
        for _ in range(12):
            append(actor, "case.opened", outcome="denied", object_id=uuid4(), facts={"part": "summary"})
        append(actor, "notification.listed")
        for _ in range(2):
            append(actor, "case.opened", object_id=uuid4(), facts={"part": "summary"})
        db.session.commit()
        by_worker(review_jobs.raise_alerts)(Event())
        drawer = act_as(world, auditor)
        side["alert_id"] = db.session.scalars(
            sa.select(Alert.id).where(Alert.organisation_id == drawer.organisation_id)
        ).one()
        form = SampleForm(began, clock.now(), 2, None, "case.opened")
        sample = draw_sample(drawer, form, purpose=LogPurpose.SELF_MONITORING)
        side["sample_id"] = sample.id
        accesses = db.session.scalars(
            sa.select(SampledAccess.id)
            .where(SampledAccess.sample_id == sample.id)
            .order_by(SampledAccess.place)
        ).all()
        side["access_id"] = accesses[0]
        if user == "officer":
            made.acts["my_accesses.answer"] = {"access_id": accesses[1]}
        db.session.commit()
    made.acts["samples.judge"] = _answered(world, made)


def _answered(world: World, made: Asides) -> dict[str, UUID]:
    """Only an answered access is judged."""
    answer_access(act_as(world, "officer"), made.ours["access_id"], "The caller asked for news")
    db.session.commit()
    return {"sample_id": made.ours["sample_id"], "access_id": made.ours["access_id"]}


def _administration(world: World, made: Asides) -> None:
    """Answers of the council's and the police's, the month's list, and an account that was suspended."""
    answers = AnswersForm(
        questionnaire().version,
        {one.code: {"answer": "yes", "evidence": "See our paper"} for one in questionnaire().questions},
    )

    def submit(user: str) -> UUID:
        row = submit_assurance(act_as(world, user), answers)
        db.session.commit()
        return row.id

    made.ours["assurance_id"] = submit("spoc")
    officer = db.session.get_one(User, act_as(world, "officer").user_id)
    hat = db.session.get_one(Team, world.teams["safety"])
    token = sessions.start(officer, hat, method=Method.OPERATOR, kind=Source.WEB, lasts=timedelta(hours=1))
    db.session.commit()
    elsewhere = sessions.identify(token, RequestFacts(), False)
    assert elsewhere is not None
    made.acts["own_sessions.end_one"] = {"session_id": elsewhere.session_id}
    made.ours["passkey_id"] = _passkey(world, "officer")
    made.theirs["passkey_id"] = _passkey(world, "sergeant")
    made.acts["passkeys.remove"] = {"passkey_id": _passkey(world, "officer")}
    partners = {"assurance_id": submit("police_spoc")}
    made.acts |= {"assurances.review": partners, "assurances.one": partners}
    enter(db.session(), NOBODY)
    now = clock.now()
    suspended = User(
        organisation_id=world.organisations["council"],
        email="suspended@example.org",
        name="Ivo Teal",
        job_title="Warden",
        disabled_at=now,
        disabled_why=DisabledWhy.NOT_ATTESTED.value,
    )
    ended = User(
        organisation_id=world.organisations["council"],
        email="ended@example.org",
        name="Nell Roe",
        job_title="Warden",
        disabled_at=now,
        disabled_why=DisabledWhy.ENDED.value,
        access_ends_on=clock.today() - timedelta(days=1),
    )
    db.session.add_all([suspended, ended])
    db.session.flush()
    for one in (suspended, ended):
        db.session.add(TeamMembership(team_id=world.teams["safety"], user_id=one.id, joined_at=now))
    db.session.commit()
    made.acts["attestations.reinstate"] = {"user_id": suspended.id}
    made.acts["joiners.reopen"] = {"user_id": ended.id}
    by_worker(attestation_jobs.attest_access)(Event())
    for side, user in ((made.ours, "spoc"), (made.theirs, "police_spoc")):
        actor = act_as(world, user)
        of = sa.select(Attestation.id).where(Attestation.organisation_id == actor.organisation_id)
        side["attestation_id"] = db.session.scalars(of).one()
        side["token_id"] = make_token(act_as(world, user), timedelta(days=90))[0].id
        db.session.commit()


def _settings(world: World, made: Asides) -> None:
    """A value that comes in a month in the council's partnership, and one in another."""
    coming = clock.today() + timedelta(days=30)
    made.ours["setting_id"] = set_value(act_as(world, "spoc"), DORMANT_DAYS, SettingForm(50, coming)).id
    other = SettingValue(
        partnership_id=world.partnerships["eastmere"],
        code=DORMANT_DAYS.code,
        value="40",
        effective_from=coming,
        number=1,
        set_by=world.users["east_officer"],
    )
    db.session.add(other)
    db.session.flush()
    made.theirs["setting_id"] = other.id
    db.session.commit()


def _role_changes(world: World, made: Asides) -> None:
    mine, own, theirs = ask_for_roles(world)
    made.ours["change_id"] = mine[Role.READ_ONLY]
    made.acts["role_changes.approve"] = {"change_id": mine[Role.SUPERVISOR]}
    made.acts["role_changes.refuse"] = {"change_id": mine[Role.AUDITOR]}
    made.acts["role_changes.withdraw"] = {"change_id": own}
    made.theirs["change_id"] = theirs[Role.SUPERVISOR]


def _passkey(world: World, user: str) -> UUID:
    """A row without a device that could answer for it."""
    passkey = Passkey(
        user_id=world.users[user],
        credential_id=uuid4().bytes,
        public_key=b"none",
        sign_count=0,
        device_bound=True,
        label="Key ring",
    )
    db.session.add(passkey)
    db.session.commit()
    return passkey.id
