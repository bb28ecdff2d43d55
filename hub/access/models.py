"""Tables of access: records with their facts, agreements in force, grants, walls, emergencies, involvements."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Mapped

from hub.access.facts import FACT_NAMES, ItemFacts, RecordFacts, facts_key, item_constraints
from hub.access.vocabulary import GrantState, Purpose, RecordKind, Section
from hub.core.schema import TEXT_ARRAY, TIMESTAMP, Base, Holds, Keyed, Revised, holds, one_of, reference_to

NO_ID = "00000000-0000-0000-0000-000000000000"
SECTIONS_KNOWN = f"sections <@ ARRAY[{', '.join(repr(s.value) for s in Section)}]::text[]"
# a share that rests on consent names it (HANDBOOK 3.3)
CONSENT_BASES = ("art6_1a", "p3_consent")


class Record(Keyed, RecordFacts, Base):
    """An incident or a case, as access knows it. The feature's own row shares the id and copies the facts."""

    __tablename__ = "record"

    kind: Mapped[str] = holds(Holds.CODE, sa.Text)
    reference: Mapped[str] = holds(Holds.REFERENCE, sa.Text, unique=True)
    # the transaction that made it; the database sees to it
    born: Mapped[int | None] = holds(Holds.COUNT, sa.BigInteger)

    __table_args__ = (
        sa.UniqueConstraint("id", *FACT_NAMES, name="uq_record_facts"),
        sa.ForeignKeyConstraint(["partnership_id"], ["partnership.id"]),
        sa.ForeignKeyConstraint(["owner_organisation_id"], ["organisation.id"]),
        sa.ForeignKeyConstraint(["lead_team_id"], ["team.id"]),
        one_of("kind", RecordKind),
        sa.CheckConstraint("marking IN (0, 1)", name="marking_known"),
        sa.Index("ix_record_lead_team", "lead_team_id", "kind", "id"),
        sa.Index(
            "ix_record_open", "owner_organisation_id", "kind", "id", postgresql_where=sa.text("open_to_owner")
        ),
    )


class Agreement(Keyed, Revised, Base):
    """An information sharing agreement: when it is in force. Papers and workflow belong to `agreements`."""

    __tablename__ = "agreement"

    reference: Mapped[str] = holds(Holds.REFERENCE, sa.Text, unique=True)
    title: Mapped[str] = holds(Holds.LABEL, sa.Text)
    partnership_id: Mapped[UUID] = reference_to("partnership.id")
    starts_at: Mapped[datetime] = holds(Holds.TIME, TIMESTAMP)
    review_at: Mapped[datetime] = holds(Holds.TIME, TIMESTAMP)
    ends_at: Mapped[datetime] = holds(Holds.TIME, TIMESTAMP)
    # set when the last party has signed: without it nothing may stand on the agreement
    in_force_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    suspended_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    suspended_why: Mapped[str | None] = holds(Holds.LABEL, sa.Text)
    # before its time, by a party; the end that was agreed stays as it was
    ended_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    ended_why: Mapped[str | None] = holds(Holds.LABEL, sa.Text)
    # out for signature: from here on the terms stand
    sent_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    # what a share under it may open
    sections: Mapped[list[str]] = holds(Holds.ACCESS_FACT, TEXT_ARRAY)
    owner_organisation_id: Mapped[UUID] = reference_to("organisation.id")
    owner_user_id: Mapped[UUID] = reference_to("app_user.id", what=Holds.STAFF)
    data_classes: Mapped[str] = holds(Holds.LABEL, sa.Text, default="")
    # who may receive: posts, training, vetting
    receivers: Mapped[str] = holds(Holds.LABEL, sa.Text, default="")
    not_shared: Mapped[str] = holds(Holds.LABEL, sa.Text, default="")

    __table_args__ = (
        # a share copies these two, so that it can't reach beyond them
        sa.UniqueConstraint("id", "ends_at", "sections", name="uq_agreement_terms"),
        sa.CheckConstraint("starts_at < ends_at", name="starts_before_end"),
        sa.CheckConstraint("(suspended_at IS NULL) = (suspended_why IS NULL)", name="suspended_with_reason"),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_why IS NULL)", name="ended_with_reason"),
        sa.CheckConstraint("in_force_at IS NULL OR sent_at IS NOT NULL", name="sent_before_force"),
        sa.CheckConstraint(f"{SECTIONS_KNOWN} AND 'summary' = ANY (sections)", name="sections_known"),
    )


class AgreementParty(Base):
    """An organisation that is party to an agreement, from `joined_at` until it leaves."""

    __tablename__ = "agreement_party"

    agreement_id: Mapped[UUID] = reference_to("agreement.id", primary_key=True)
    organisation_id: Mapped[UUID] = reference_to("organisation.id", primary_key=True)
    joined_at: Mapped[datetime] = holds(Holds.TIME, TIMESTAMP)
    left_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    signed_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    signed_by: Mapped[UUID | None] = reference_to("app_user.id", what=Holds.STAFF)
    # who signs for the party, as the paper says it
    signatory: Mapped[str] = holds(Holds.STAFF, sa.Text, default="")

    __table_args__ = (
        sa.CheckConstraint("(signed_at IS NULL) = (signed_by IS NULL)", name="signed_pair"),
        sa.Index("ix_agreement_party_organisation", "organisation_id", "agreement_id"),
    )


class AgreementPurpose(Base):
    """A purpose that an agreement permits, with its gateway and lawful basis (HANDBOOK 3.1, 3.3, 3.4)."""

    __tablename__ = "agreement_purpose"

    agreement_id: Mapped[UUID] = reference_to("agreement.id", primary_key=True)
    purpose: Mapped[str] = holds(Holds.CODE, sa.Text, primary_key=True)
    gateway: Mapped[str] = holds(Holds.CODE, sa.Text)
    lawful_basis: Mapped[str] = holds(Holds.CODE, sa.Text)
    condition: Mapped[str | None] = holds(Holds.CODE, sa.Text)

    __table_args__ = (one_of("purpose", Purpose),)


class Grant(Keyed, Revised, RecordFacts, Base):
    """A share of a record: to whom, which sections, under which agreement and purpose, why, and until when."""

    __tablename__ = "record_grant"

    record_id: Mapped[UUID] = holds(Holds.KEY, sa.Uuid)
    # all that a recipient sees of the record before the answer and after the end
    record_reference: Mapped[str] = holds(Holds.REFERENCE, sa.Text)
    to_organisation_id: Mapped[UUID] = reference_to("organisation.id", what=Holds.ACCESS_FACT)
    to_team_id: Mapped[UUID | None] = reference_to("team.id", what=Holds.ACCESS_FACT)
    to_user_id: Mapped[UUID | None] = reference_to("app_user.id", what=Holds.ACCESS_FACT)
    agreement_id: Mapped[UUID | None] = holds(Holds.ACCESS_FACT, sa.Uuid)
    agreement_ends_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    agreement_sections: Mapped[list[str] | None] = holds(Holds.ACCESS_FACT, TEXT_ARRAY)
    purpose: Mapped[str | None] = holds(Holds.ACCESS_FACT, sa.Text)
    gateway: Mapped[str | None] = holds(Holds.CODE, sa.Text)
    lawful_basis: Mapped[str | None] = holds(Holds.CODE, sa.Text)
    consent_id: Mapped[UUID | None] = reference_to("consent.id")
    # a minimum share tells one fact (`shared_fact`) and opens nothing of the record
    fact_only: Mapped[bool] = holds(Holds.ACCESS_FACT, sa.Boolean, default=False)
    # the partner set, or the request, by which it was accepted beforehand
    panel_id: Mapped[UUID | None] = reference_to("panel.id")
    access_request_id: Mapped[UUID | None] = reference_to("access_request.id")
    sections: Mapped[list[str]] = holds(Holds.ACCESS_FACT, TEXT_ARRAY)
    max_marking: Mapped[int] = holds(Holds.ACCESS_FACT, sa.SmallInteger)
    may_contribute: Mapped[bool] = holds(Holds.ACCESS_FACT, sa.Boolean, default=False)
    reason: Mapped[str] = holds(Holds.FREE_TEXT, sa.Text)
    state: Mapped[str] = holds(Holds.ACCESS_FACT, sa.Text, default=GrantState.PENDING)
    requested_by: Mapped[UUID] = reference_to("app_user.id", what=Holds.STAFF)
    answered_by: Mapped[UUID | None] = reference_to("app_user.id", what=Holds.STAFF)
    answered_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    starts_at: Mapped[datetime] = holds(Holds.TIME, TIMESTAMP)
    ends_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    revoked_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    revoked_by: Mapped[UUID | None] = reference_to("app_user.id", what=Holds.STAFF)
    revoked_why: Mapped[str | None] = holds(Holds.FREE_TEXT, sa.Text)
    # the agreement, consent or hand-over whose end ended it
    closed_with: Mapped[UUID | None] = holds(Holds.KEY, sa.Uuid)

    __table_args__ = (
        facts_key("record_id", "record_grant"),
        sa.ForeignKeyConstraint(
            ["record_reference"], ["record.reference"], name="fk_record_grant_record_reference"
        ),
        sa.ForeignKeyConstraint(
            ["agreement_id", "agreement_ends_at", "agreement_sections"],
            ["agreement.id", "agreement.ends_at", "agreement.sections"],
            onupdate="CASCADE",
            name="fk_record_grant_agreement_terms",
        ),
        one_of("state", GrantState),
        sa.CheckConstraint(
            "(agreement_id IS NULL) = (agreement_ends_at IS NULL)"
            " AND (agreement_id IS NULL) = (agreement_sections IS NULL)",
            name="agreement_terms_copied",
        ),
        sa.CheckConstraint(
            "agreement_sections IS NULL OR sections <@ agreement_sections", name="sections_within_agreement"
        ),
        sa.CheckConstraint(
            # one made before consents were recorded has been ended
            f"(coalesce(lawful_basis, '') IN {CONSENT_BASES!r}) = (consent_id IS NOT NULL) OR closed_with IS NOT NULL",
            name="consent_basis_names_consent",
        ),
        sa.CheckConstraint(
            "to_organisation_id = owner_organisation_id OR (agreement_id IS NOT NULL AND purpose IS NOT NULL"
            " AND gateway IS NOT NULL AND lawful_basis IS NOT NULL AND ends_at IS NOT NULL)"
            # one within the old owner, closed by a hand-over to the new
            " OR closed_with IS NOT NULL",
            name="outside_needs_agreement",
        ),
        sa.CheckConstraint("ends_at IS NULL OR ends_at > starts_at", name="ends_after_start"),
        sa.CheckConstraint(
            "agreement_ends_at IS NULL OR ends_at <= agreement_ends_at", name="ends_within_agreement"
        ),
        sa.CheckConstraint(SECTIONS_KNOWN, name="sections_known"),
        # all shares open the summary, but for those of one fact, which open no section
        sa.CheckConstraint(
            "('summary' = ANY (sections)) <> fact_only AND (NOT fact_only OR sections = '{}')",
            name="summary_or_fact",
        ),
        sa.CheckConstraint("length(btrim(reason)) > 0", name="reason_given"),
        sa.CheckConstraint(
            "(revoked_at IS NULL) = (revoked_by IS NULL) AND (revoked_at IS NULL) = (revoked_why IS NULL)",
            name="revoked_together",
        ),
        sa.CheckConstraint("(answered_at IS NULL) = (state = 'pending')", name="answered_unless_pending"),
        sa.CheckConstraint("to_team_id IS NULL OR to_user_id IS NULL", name="one_recipient"),
        sa.Index("ix_record_grant_recipient", "to_organisation_id", "purpose", "record_id"),
        sa.Index("ix_record_grant_record", "record_id", "id"),
        sa.Index("ix_record_grant_team", "to_team_id", postgresql_where=sa.text("to_team_id IS NOT NULL")),
        sa.Index("ix_record_grant_agreement", "agreement_id"),
        # one live share per record, recipient and purpose at any time
        postgresql.ExcludeConstraint(
            (sa.column("record_id"), "="),
            (sa.column("to_organisation_id"), "="),
            (sa.text(f"coalesce(to_team_id, '{NO_ID}'::uuid)"), "="),
            (sa.text(f"coalesce(to_user_id, '{NO_ID}'::uuid)"), "="),
            (sa.text("coalesce(purpose, '')"), "="),
            (sa.text("tstzrange(starts_at, coalesce(ends_at, 'infinity'::timestamptz))"), "&&"),
            where=sa.text("revoked_at IS NULL AND state <> 'rejected' AND NOT fact_only"),
            name="ex_record_grant_one_live",
        ),
    )

    @property
    def last_moment(self) -> datetime | None:
        """The last moment at which it holds: a share that ends at midnight holds through the day before."""
        return self.ends_at - timedelta(seconds=1) if self.ends_at else None


class SectionLevel(Base):
    """Every section at every marking, filled once: what a grant's sections and highest marking unfold to."""

    __tablename__ = "section_level"

    section: Mapped[str] = holds(Holds.CODE, sa.Text, primary_key=True)
    marking: Mapped[int] = holds(Holds.CODE, sa.SmallInteger, primary_key=True)

    __table_args__ = (
        one_of("section", Section),
        sa.CheckConstraint("marking IN (0, 1)", name="marking_known"),
    )


class RecordTeam(RecordFacts, Base):
    """The named people of a restricted record."""

    __tablename__ = "record_team"

    record_id: Mapped[UUID] = holds(Holds.KEY, sa.Uuid, primary_key=True)
    user_id: Mapped[UUID] = reference_to("app_user.id", primary_key=True, what=Holds.STAFF)
    added_at: Mapped[datetime] = holds(Holds.TIME, TIMESTAMP)
    added_by: Mapped[UUID] = reference_to("app_user.id", what=Holds.STAFF)

    __table_args__ = (
        facts_key("record_id", "record_team"),
        sa.Index("ix_record_team_user", "user_id", "record_id"),
    )


class Exclusion(Keyed, Base):
    """A declared interest: this user must not see this record or person. It beats everything, emergency access too."""

    __tablename__ = "exclusion"

    user_id: Mapped[UUID] = reference_to("app_user.id", what=Holds.STAFF)
    organisation_id: Mapped[UUID] = reference_to("organisation.id")
    record_id: Mapped[UUID | None] = reference_to("record.id")
    person_id: Mapped[UUID | None] = reference_to("person.id")
    why: Mapped[str] = holds(Holds.FREE_TEXT, sa.Text)
    # the declaration that the database derived it from
    interest_id: Mapped[UUID | None] = reference_to("declared_interest.id")
    ended_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    ended_by: Mapped[UUID | None] = reference_to("app_user.id", what=Holds.STAFF)
    ended_why: Mapped[str | None] = holds(Holds.FREE_TEXT, sa.Text)

    __table_args__ = (
        sa.CheckConstraint("(record_id IS NULL) <> (person_id IS NULL)", name="one_subject"),
        sa.CheckConstraint("ended_by IS NULL OR ended_by <> user_id", name="lifted_by_another"),
        sa.CheckConstraint("(ended_by IS NULL) = (ended_why IS NULL)", name="lifted_with_reason"),
        sa.Index("ix_exclusion_user", "user_id"),
        # derived once for each declaration and subject
        sa.Index(
            "uq_exclusion_derived",
            "interest_id",
            sa.text(f"coalesce(record_id, '{NO_ID}'::uuid)"),
            sa.text(f"coalesce(person_id, '{NO_ID}'::uuid)"),
            unique=True,
            postgresql_where=sa.text("interest_id IS NOT NULL"),
        ),
    )


class Emergency(Keyed, Base):
    """Emergency access to one record by one user, for at most four hours, until someone else has reviewed it."""

    __tablename__ = "emergency"

    record_id: Mapped[UUID] = reference_to("record.id")
    user_id: Mapped[UUID] = reference_to("app_user.id", what=Holds.STAFF)
    organisation_id: Mapped[UUID] = reference_to("organisation.id")
    # who is told, and reviews it
    owner_organisation_id: Mapped[UUID] = reference_to("organisation.id", what=Holds.ACCESS_FACT)
    record_reference: Mapped[str] = holds(Holds.REFERENCE, sa.Text)
    sealed_reason: Mapped[bytes] = holds(Holds.SEALED, sa.LargeBinary)
    data_key_id: Mapped[UUID] = reference_to("data_key.id")
    granted_at: Mapped[datetime] = holds(Holds.TIME, TIMESTAMP)
    expires_at: Mapped[datetime] = holds(Holds.TIME, TIMESTAMP)
    closed_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    reviewed_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    reviewed_by: Mapped[UUID | None] = reference_to("app_user.id", what=Holds.STAFF)
    outcome: Mapped[str | None] = holds(Holds.CODE, sa.Text)
    review_note: Mapped[str] = holds(Holds.FREE_TEXT, sa.Text, default="")

    __table_args__ = (
        sa.CheckConstraint("(reviewed_at IS NULL) = (outcome IS NULL)", name="reviewed_with_outcome"),
        sa.Index("ix_emergency_owner", "owner_organisation_id", "granted_at"),
        sa.Index("ix_emergency_organisation", "organisation_id", "granted_at"),
        sa.CheckConstraint(
            "expires_at > granted_at AND expires_at <= granted_at + interval '4 hours'",
            name="four_hours_at_most",
        ),
        sa.CheckConstraint("(reviewed_at IS NULL) = (reviewed_by IS NULL)", name="reviewed_pair"),
        sa.CheckConstraint("reviewed_by IS NULL OR reviewed_by <> user_id", name="reviewed_by_another"),
        sa.Index("ix_emergency_user", "user_id", "record_id"),
    )


class Involvement(Keyed, Revised, ItemFacts, Base):
    """A person, place or vehicle in a record, with its role there (never on the person: HANDBOOK 0.1 rule 6)."""

    __tablename__ = "involvement"

    person_id: Mapped[UUID | None] = reference_to("person.id")
    place_id: Mapped[UUID | None] = reference_to("place.id")
    vehicle_id: Mapped[UUID | None] = reference_to("vehicle.id")
    role: Mapped[str] = holds(Holds.SENSITIVE, sa.Text)
    ended_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    ended_why: Mapped[str | None] = holds(Holds.FREE_TEXT, sa.Text)

    __table_args__ = (
        *item_constraints("involvement"),
        sa.CheckConstraint("num_nonnulls(person_id, place_id, vehicle_id) = 1", name="one_subject"),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_why IS NULL)", name="ended_pair"),
        sa.Index("ix_involvement_person", "person_id", postgresql_where=sa.text("person_id IS NOT NULL")),
        sa.Index("ix_involvement_place", "place_id", postgresql_where=sa.text("place_id IS NOT NULL")),
        sa.Index("ix_involvement_vehicle", "vehicle_id", postgresql_where=sa.text("vehicle_id IS NOT NULL")),
    )
