"""One reader of each role, and four records as they stand to them: their own, one shared with them, one whose share is over,
and one that nobody shared; with everything that hangs on each."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from hub.access.actor import NOBODY, Actor, Source
from hub.access.guard import enter
from hub.access.permissions import Role
from hub.access.vocabulary import Marking, Purpose, Section
from hub.accounts import sessions
from hub.accounts.models import Team, TeamMembership, User
from hub.accounts.vocabulary import Method
from hub.chronology.actions import add_entry
from hub.chronology.forms import EntryForm
from hub.consents.actions import record_consent
from hub.consents.forms import ConsentForm
from hub.consents.vocabulary import ConsentHow, GivenBy
from hub.core import clock
from hub.emergencies.actions import open_emergency
from hub.emergencies.forms import EmergencyForm
from hub.extensions import db
from hub.handovers.actions import offer_hand_over
from hub.handovers.forms import OfferForm
from hub.joining.terms import IN_FORCE
from hub.sharing.actions import answer_share, share_record
from hub.sharing.forms import ShareForm
from hub.web.identity import COOKIE
from tests.attacks.arena import Target, _target
from tests.fixtures.planting import plant_roles
from tests.fixtures.site import Client, Site
from tests.fixtures.world import World, act_as

RECORDS = ("own", "shared", "expired", "foreign")
TEAM = "npt"
# what stands in an address and belongs to one of the four
OF_RECORDS = frozenset(
    {"case_id", "incident_id", "person_id", "entry_id", "involvement_id", "grant_id", "consent_id", "hand_over_id", "emergency_id"}
)  # fmt: skip
NOT_HERE = UUID("00000000-0000-7000-8000-000000000000")
# the reader's own things, or none: what belongs to no record
ABSENT = frozenset(
    {
        "attachment_id", "hold_id", "disclosure_id", "paper_id", "erasure_id", "request_id", "interest_id", "exclusion_id", "panel_id", "seat_id", "assurance_id",
        "attestation_id", "notification_id", "event_id", "line_id", "session_id", "document_id", "alert_id", "sample_id", "access_id",
        "passkey_id", "token_id", "change_id",
    }
)  # fmt: skip


class Stage:
    """The readers' sessions and the ids that stand in addresses."""

    def __init__(self, site: Site, superuser_url: str) -> None:
        self.site = site
        self.users: dict[Role, UUID] = {}
        self.ids: dict[str, dict[str, UUID]] = {}
        with site.inside():
            self._people(site.world)
            self._records(site.world)
            db.session.remove()
        site.sql(
            superuser_url,
            "UPDATE record_grant SET starts_at = now() - interval '9 days', ends_at = now() - interval '1 minute'"
            " WHERE record_id = ANY (:records)",
            records=[self.ids["expired"]["case_id"], self.ids["expired"]["incident_id"]],
        )

    def client(self, role: Role) -> Client:
        with self.site.inside():
            enter(db.session(), NOBODY)
            user = db.session.get_one(User, self.users[role])
            team = db.session.get_one(Team, self.site.world.teams[TEAM])
            token = sessions.start(
                user, team, method=Method.OPERATOR, kind=Source.WEB, purpose=Purpose.PREVENT_CRIME.value,
                lasts=timedelta(hours=1),
            )  # fmt: skip
            db.session.commit()
        client = self.site.app.test_client()
        client.set_cookie(COOKIE, token, secure=True)
        return Client(client)

    def values(self, names: set[str], endpoint: str, record: str) -> dict[str, object]:
        """Values for the arguments of a rule. Names that nobody has said what they are fail here."""
        world, ids = self.site.world, self.ids[record]
        known: dict[str, object] = {
            **ids, **dict.fromkeys(ABSENT, NOT_HERE), "agreement_id": world.agreements["sharing"], "key": "cases.new",
            "team_id": world.teams[TEAM], "user_id": self.spare, "organisation_id": world.organisations["council"],
            "secret": "x", "reference": self.references[record], "kind": "person", "about": "desk",
            "number": 1, "code": "dormant_days" if endpoint.startswith("settings.") else "bulk",
            "list_code": "job_role", "entry_code": "analyst", "setting_id": NOT_HERE,
        }  # fmt: skip
        if endpoint.startswith(("incident.", "incident_sharing.")):
            known |= {"involvement_id": ids["incident_involvement_id"], "grant_id": ids["incident_grant_id"]}
        unknown = names - set(known)
        assert not unknown, f"{endpoint}: say in tests/attacks/records.py what {sorted(unknown)} is"
        return {name: known[name] for name in names}

    def _people(self, world: World) -> None:
        """A user of each role in the reader's team, and one to be closed and removed."""
        enter(db.session(), NOBODY)
        now, held = clock.now(), []
        for role in (*Role, None):
            name = role.value if role else "spare"
            user = User(
                organisation_id=world.organisations["police"], email=f"the.{name}@example.org", name=f"The {name}", job_title="One",
                terms_version=IN_FORCE, terms_accepted_at=now,
            )  # fmt: skip
            db.session.add(user)
            db.session.flush()
            db.session.add(TeamMembership(team_id=world.teams[TEAM], user_id=user.id, joined_at=now))
            if role is None:
                self.spare = user.id
                continue
            self.users[role] = user.id
            area = world.partnerships["northbrook"]
            held.append((user.id, area, role.value))
        db.session.commit()
        plant_roles(held)

    def _records(self, world: World) -> None:
        leads = {"own": "sergeant", "shared": "officer", "expired": "officer", "foreign": "officer"}
        self.references: dict[str, str] = {}
        for name, lead in leads.items():
            target = _target(act_as(world, lead), f"Qz{name}")
            shared_with = {"own": "council", "foreign": "yjs"}.get(name, "police")
            to = Purpose.SAFEGUARD_CHILD if shared_with == "yjs" else Purpose.PREVENT_CRIME
            taker = {"council": "officer", "yjs": "yot_worker", "police": "sergeant"}[shared_with]
            form = ShareForm(
                to_organisation_id=world.organisations[shared_with], sections=tuple(Section), reason="It is needed", purpose=to,
                ends_at=clock.now() + timedelta(days=30), max_marking=Marking.OFFICIAL_SENSITIVE, may_contribute=True,
            )  # fmt: skip
            grants = []
            for record in (target.case_id, target.incident_id):
                grants.append(share_record(act_as(world, lead), record, form).id)
                db.session.commit()
                answer_share(act_as(world, taker), grants[-1], accept=True)
                db.session.commit()
            entry = target.entry_id
            if shared_with == "police":
                entry = add_entry(act_as(world, "sergeant"), target.case_id, EntryForm(text="We saw it")).id
                db.session.commit()
            self.references[name] = target.reference
            self.ids[name] = {
                "case_id": target.case_id, "incident_id": target.incident_id, "person_id": target.person_id,
                "entry_id": entry, "involvement_id": target.involvement_id,
                "incident_involvement_id": target.incident_involvement_id, "grant_id": grants[0],
                "incident_grant_id": grants[1], "consent_id": self._consent(act_as(world, lead), target, shared_with),
            }  # fmt: skip
        self._offers(world)
        self._emergencies(world)

    def _consent(self, actor: Actor, target: Target, to: str) -> UUID:
        world = self.site.world
        form = ConsentForm(
            target.person_id, Purpose.SUPPORT_VICTIM, world.organisations[to], "2026-03-01", GivenBy.PERSON, ConsentHow.PHONE,
            "That it is shared to help",
        )  # fmt: skip
        made = record_consent(actor, target.case_id, form).id
        db.session.commit()
        return made

    def _offers(self, world: World) -> None:
        """Own: offered by us. Shared: offered to us. Expired and foreign: between two teams of the owner."""
        to = {"own": ("yjs", "yjs"), "shared": ("police", TEAM), "expired": ("council", "housing"), "foreign": ("council", "housing")}  # fmt: skip
        # whoever takes a case over is a supervisor
        area = world.partnerships["northbrook"]
        enter(db.session(), NOBODY)
        takers = ("yot_worker", "housing_officer", "sergeant")
        plant_roles((world.users[user], area, "supervisor") for user in takers)
        for name, (organisation, team) in to.items():
            outside = organisation != "council"
            form = OfferForm(
                world.organisations[organisation], world.teams[team], "They know the family",
                purpose=Purpose.PREVENT_CRIME if outside else None,
                agreement_id=world.agreements["sharing"] if outside else None,
            )  # fmt: skip
            actor = act_as(world, "sergeant" if name == "own" else "manager")
            offer = offer_hand_over(actor, self.ids[name]["case_id"], form, case_kind="asb")
            db.session.commit()
            self.ids[name]["hand_over_id"] = offer.id

    def _emergencies(self, world: World) -> None:
        """Own: the council's, to a record of ours. The others: the youth justice service's, to a record of the council's."""
        enter(db.session(), NOBODY)
        third = _target(act_as(world, "manager"), "Qzthird").reference
        for name, user, reference in (
            ("own", "manager", _target(act_as(world, "sergeant"), "Qzfourth").reference),
            ("foreign", "yot_worker", third),
        ):
            form = EmergencyForm(reference, "Somebody is about to be hurt there")
            self.ids[name]["emergency_id"] = open_emergency(act_as(world, user), form).id
            db.session.commit()
        for name in ("shared", "expired"):
            self.ids[name]["emergency_id"] = self.ids["foreign"]["emergency_id"]
