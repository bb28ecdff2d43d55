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


class Record(Keyed, RecordFacts, Base):
    """An incident or a case, as access knows it. The feature's own row shares the id and copies the facts."""

    __tablename__ = "record"

    kind: Mapped[str] = holds(Holds.CODE, sa.Text)
    reference: Mapped[str] = holds(Holds.REFERENCE, sa.Text, unique=True)

    __table_args__ = (
        sa.UniqueConstraint("id", *FACT_NAMES, name="uq_record_facts"),
        sa.ForeignKeyConstraint(["partnership_id"], ["partnership.id"]),
        sa.ForeignKeyConstraint(["owner_organisation_id"], ["organisation.id"]),
        sa.ForeignKeyConstraint(["lead_team_id"], ["team.id"]),
        one_of("kind", RecordKind),
        sa.CheckConstraint("marking IN (0, 1)", name="marking_known"),
        sa.Index("ix_record_lead_team", "lead_team_id", "id"),
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
    data_classes: Mapped[str] = holds(Holds.LABEL, sa.Text, default="")

    __table_args__ = (
        sa.UniqueConstraint("id", "ends_at", name="uq_agreement_end"),
        sa.CheckConstraint("starts_at < ends_at", name="starts_before_end"),
        sa.CheckConstraint("(suspended_at IS NULL) = (suspended_why IS NULL)", name="suspended_with_reason"),
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
    purpose: Mapped[str | None] = holds(Holds.ACCESS_FACT, sa.Text)
    gateway: Mapped[str | None] = holds(Holds.CODE, sa.Text)
    lawful_basis: Mapped[str | None] = holds(Holds.CODE, sa.Text)
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

    __table_args__ = (
        facts_key("record_id", "record_grant"),
        sa.ForeignKeyConstraint(
            ["record_reference"], ["record.reference"], name="fk_record_grant_record_reference"
        ),
        sa.ForeignKeyConstraint(
            ["agreement_id", "agreement_ends_at"],
            ["agreement.id", "agreement.ends_at"],
            onupdate="CASCADE",
            name="fk_record_grant_agreement_end",
        ),
        one_of("state", GrantState),
        sa.CheckConstraint("(agreement_id IS NULL) = (agreement_ends_at IS NULL)", name="agreement_pair"),
        sa.CheckConstraint(
            "to_organisation_id = owner_organisation_id OR (agreement_id IS NOT NULL AND purpose IS NOT NULL"
            " AND gateway IS NOT NULL AND lawful_basis IS NOT NULL AND ends_at IS NOT NULL)",
            name="outside_needs_agreement",
        ),
        sa.CheckConstraint("ends_at IS NULL OR ends_at > starts_at", name="ends_after_start"),
        sa.CheckConstraint(
            "agreement_ends_at IS NULL OR ends_at <= agreement_ends_at", name="ends_within_agreement"
        ),
        sa.CheckConstraint(
            f"sections <@ ARRAY[{', '.join(repr(s.value) for s in Section)}]::text[] AND 'summary' = ANY (sections)",
            name="sections_known",
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
        # one live share per record, recipient and purpose at any time
        postgresql.ExcludeConstraint(
            (sa.column("record_id"), "="),
            (sa.column("to_organisation_id"), "="),
            (sa.text(f"coalesce(to_team_id, '{NO_ID}'::uuid)"), "="),
            (sa.text(f"coalesce(to_user_id, '{NO_ID}'::uuid)"), "="),
            (sa.text("coalesce(purpose, '')"), "="),
            (sa.text("tstzrange(starts_at, coalesce(ends_at, 'infinity'::timestamptz))"), "&&"),
            where=sa.text("revoked_at IS NULL AND state <> 'rejected'"),
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
    ended_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)

    __table_args__ = (
        sa.CheckConstraint("(record_id IS NULL) <> (person_id IS NULL)", name="one_subject"),
        sa.Index("ix_exclusion_user", "user_id"),
    )


class Emergency(Keyed, Base):
    """Emergency access to one record by one user, for at most four hours, until someone else has reviewed it."""

    __tablename__ = "emergency"

    record_id: Mapped[UUID] = reference_to("record.id")
    user_id: Mapped[UUID] = reference_to("app_user.id", what=Holds.STAFF)
    organisation_id: Mapped[UUID] = reference_to("organisation.id")
    sealed_reason: Mapped[bytes] = holds(Holds.SEALED, sa.LargeBinary)
    granted_at: Mapped[datetime] = holds(Holds.TIME, TIMESTAMP)
    expires_at: Mapped[datetime] = holds(Holds.TIME, TIMESTAMP)
    closed_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    reviewed_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    reviewed_by: Mapped[UUID | None] = reference_to("app_user.id", what=Holds.STAFF)
    outcome: Mapped[str | None] = holds(Holds.CODE, sa.Text)

    __table_args__ = (
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
