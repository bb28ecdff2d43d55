"""What partners do beside plain shares: a panel, a request, a single fact, a consent, a hand-over, an emergency, assurances."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from hub.access.models import Involvement
from hub.access.vocabulary import Purpose, Section
from hub.access_requests.actions import answer_request, make_request
from hub.access_requests.forms import AnswerForm, AskForm
from hub.access_requests.queries import find_sought_ids
from hub.access_requests.vocabulary import RequestState, Urgency
from hub.assurances.actions import review_assurance, submit_assurance
from hub.assurances.forms import AnswersForm, ReviewForm
from hub.assurances.questions import questionnaire
from hub.assurances.vocabulary import AssuranceState
from hub.cases.models import Case
from hub.cases.vocabulary import CASE_KIND_LABELS, CaseKind
from hub.consents.actions import record_consent
from hub.consents.forms import ConsentForm
from hub.consents.vocabulary import ConsentHow, GivenBy
from hub.demo.aftermath import Told
from hub.demo.stage import Stage
from hub.emergencies.actions import open_emergency
from hub.emergencies.forms import EmergencyForm
from hub.extensions import db
from hub.handovers.actions import offer_hand_over
from hub.handovers.forms import OfferForm
from hub.interests.actions import declare_interest
from hub.interests.forms import InterestForm
from hub.interests.vocabulary import InterestKind, Relation
from hub.panels.actions import join_panel, make_panel, share_with_panel
from hub.panels.forms import PanelForm
from hub.panels.models import PanelMember
from hub.people.models import PersonName
from hub.sharing.fact_forms import FactForm
from hub.sharing.facts import share_fact
from hub.sharing.forms import ShareForm
from hub.sharing.vocabulary import FactCode

# organisation → who holds its seat on the panel
SEATS = {"TVP": "ola.brandt", "NEY": "jonas.field", "TPB": "maud.ellery"}
SEAT_TEAMS = {"TVP": "nb_npt", "NEY": "ne_yjs", "TPB": "probation"}
OWNER, SUPERVISOR, SPOC = "amara.okafor", "rhys.llewellyn", "lena.marsh"


class Partners:
    """Plays Northbrook's partners through the real actions, in the loader's one transaction."""

    def __init__(self, stage: Stage, cases: list[Told]) -> None:
        self.stage = stage
        live = sa.select(Case.id).where(Case.closed_at.is_(None))
        stage.play(SUPERVISOR)
        open_now = set(db.session.scalars(live))
        # those of Northbrook Council that go on, the latest first
        self.cases = [
            one
            for one in reversed(cases)
            if one.owner == OWNER and one.id in open_now and one.kind is CaseKind.ASB
        ]

    def play(self) -> None:
        self._panel()
        self._fact()
        self._requests()
        self._consent()
        self._hand_over()
        self._emergency()
        self._interest()
        self._assurances()

    def _panel(self) -> None:
        stage = self.stage
        form = PanelForm(
            name="ASB panel",
            agreement_id=stage.agreements["northbrook"],
            purpose=Purpose.PREVENT_CRIME,
            sections=(Section.SUMMARY, Section.PEOPLE, Section.CHRONOLOGY, Section.TASKS),
            lasts_days=90,
            seats=tuple((stage.organisations[code], stage.teams[team]) for code, team in SEAT_TEAMS.items()),
            may_contribute=True,
        )
        panel = make_panel(stage.play(SPOC), form)
        seats = dict(
            db.session.execute(
                sa.select(PanelMember.organisation_id, PanelMember.id).where(PanelMember.panel_id == panel.id)
            ).all()
        )
        for code, key in SEATS.items():
            join_panel(stage.play(key, team=self._team_of(key)), panel.id, seats[stage.organisations[code]])
        for told in self.cases[:2]:
            reason = "The panel meets on Thursday; each member knows one side of this and nobody all of it."
            share_with_panel(stage.play(OWNER), told.id, panel.id, reason=reason)

    def _team_of(self, key: str) -> str | None:
        return "nb_npt" if key == "ola.brandt" else None

    def _fact(self) -> None:
        stage = self.stage
        share = ShareForm(
            to_organisation_id=stage.organisations["HBH"],
            to_team_id=stage.teams["homes"],
            sections=(Section.SUMMARY,),
            reason="The landlord decides on the tenancy and needs the fact and its dates, nothing else.",
            purpose=Purpose.TENANCY,
            ends_at=stage.now + timedelta(days=60),
        )
        began = stage.now - timedelta(days=40)
        form = FactForm(
            share=share,
            code=FactCode.COMMUNITY_PROTECTION_WARNING,
            concerning="14 Quay Terrace",
            from_on=began.date().isoformat(),
            wording="Noise between 11pm and 6am; the warning stands for six months.",
        )
        share_fact(stage.play(OWNER), self.cases[2].id, form)

    def _requests(self) -> None:
        """One answered in part, one that waits."""
        stage = self.stage
        for told, answered in ((self.cases[3], True), (self.cases[4], False)):
            name = self._subject_of(told.id)
            if name is None:
                continue
            asker = stage.play("leon.fairclough", purpose=Purpose.MANAGE_OFFENDER)
            ask = AskForm(
                sought=name,
                urgency=Urgency.WITHIN_5_DAYS,
                wanted="Whether the person is being worked with, since when, and what has been tried.",
                reason="Supervision starts this week. Without it two services may set conditions that contradict each other.",
            )
            request = make_request(asker, stage.organisations["NBC"], ask)
            if answered:
                owner = stage.play(SUPERVISOR)
                sought = find_sought_ids(owner, request.id)
                answer = AnswerForm(
                    state=RequestState.PART,
                    answer="The summary and the log; the people stay with us until you have spoken to the person.",
                    sections=dict.fromkeys(sought, (Section.SUMMARY, Section.CHRONOLOGY)),
                    reason="Supervision starts this week.",
                    ends_at=stage.now + timedelta(days=90),
                )
                answer_request(owner, request.id, answer)

    def _subject_of(self, case_id: UUID) -> str | None:
        """Somebody of two names or more whom a partner could search for."""
        self.stage.play(OWNER)
        found = db.session.scalars(
            sa.select(PersonName)
            .join(Involvement, Involvement.person_id == PersonName.person_id)
            .where(Involvement.record_id == case_id, PersonName.section == Section.PEOPLE.value)
            .where(PersonName.given_names != "", PersonName.family_name != "")
            .order_by(PersonName.id)
        ).first()
        return f"{found.given_names} {found.family_name}" if found is not None else None

    def _consent(self) -> None:
        told = self.cases[5]
        actor = self.stage.play(OWNER)
        person = db.session.scalar(
            sa.select(Involvement.person_id)
            .where(Involvement.record_id == told.id, Involvement.person_id.is_not(None))
            .order_by(Involvement.id)
        )
        if person is None:
            return
        form = ConsentForm(
            person_id=person,
            purpose=Purpose.SUPPORT_VICTIM,
            to_organisation_id=self.stage.organisations["TVC"],
            given_on=(self.stage.now - timedelta(days=9)).date().isoformat(),
            given_by=GivenBy.PERSON,
            given_how=ConsentHow.PHONE,
            told="Read the notice for victim support, version of March 2026, and asked whether anything was unclear.",
            person_view="Wants to be called in the mornings only.",
        )
        record_consent(actor, told.id, form)

    def _hand_over(self) -> None:
        told = self.cases[6]
        form = OfferForm(
            to_organisation_id=self.stage.organisations["TVP"],
            to_team_id=self.stage.teams["nb_npt"],
            reason="What goes on is for the neighbourhood team now; the council’s part is done.",
            purpose=Purpose.PREVENT_CRIME,
        )
        offer_hand_over(self.stage.play(SUPERVISOR), told.id, form, case_kind=CASE_KIND_LABELS[told.kind])

    def _emergency(self) -> None:
        self.stage.play(OWNER)
        reference = db.session.scalar(sa.select(Case.reference).where(Case.id == self.cases[7].id))
        reason = (
            "999 call from the address named in the council’s letter; children in the house, unit on its way."
        )
        officer = self.stage.play("david.aspinall", team="nb_pvp")
        open_emergency(officer, EmergencyForm(str(reference), reason))

    def _interest(self) -> None:
        officer = self.stage.play("ellie.marchbank", team="nb_npt")
        declare_interest(
            officer, InterestForm(InterestKind.SURNAME, Relation.FAMILY, family_name="Marchbank")
        )

    def _assurances(self) -> None:
        """The landlord's answers wait for a review; the charity's were accepted and run out in three weeks."""
        given = {
            one.code: {"answer": "yes", "evidence": "Policy of 2026, reviewed by the board in May."}
            for one in questionnaire().questions
        }
        form = AnswersForm(questionnaire().version, given)
        submit_assurance(self.stage.play("gil.hartnoll"), form)
        accepted = submit_assurance(self.stage.play("ines.moor"), form)
        until = self.stage.now + timedelta(days=21)
        review = ReviewForm(AssuranceState.ACCEPTED, "Seen at the visit in spring.", until)
        review_assurance(self.stage.play(SPOC), accepted.id, review)
