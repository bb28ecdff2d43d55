"""Tables of partnerships, organisations, teams, users, what they hold, and their sessions."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from hub.access.actor import Source
from hub.access.permissions import Role
from hub.access.vocabulary import Purpose
from hub.accounts.vocabulary import CeremonyKind, DisabledWhy, Method, OrganisationKind
from hub.core.schema import TIMESTAMP, Base, Holds, Keyed, Revised, holds, one_of, reference_to
from hub.settings.vetting import Vetting


class Partnership(Keyed, Base):
    """The area that a case belongs to: the outermost wall."""

    __tablename__ = "partnership"

    code: Mapped[str] = holds(Holds.REFERENCE, sa.Text, unique=True)
    name: Mapped[str] = holds(Holds.LABEL, sa.Text)


class Organisation(Keyed, Base):
    """A controller. A police force may work in several partnerships through its teams."""

    __tablename__ = "organisation"

    code: Mapped[str] = holds(Holds.REFERENCE, sa.Text, unique=True)
    name: Mapped[str] = holds(Holds.LABEL, sa.Text)
    kind: Mapped[str] = holds(Holds.CODE, sa.Text)
    # the policy that opens new records to every team of the organisation
    opens_records: Mapped[bool] = holds(Holds.ACCESS_FACT, sa.Boolean, default=False)
    # administrators and auditors begin a session only with a passkey bound to one device
    strict_passkeys: Mapped[bool] = holds(Holds.ACCESS_FACT, sa.Boolean, default=False)

    __table_args__ = (
        one_of("kind", OrganisationKind),
        sa.CheckConstraint("code ~ '^[A-Z0-9]{2,6}$'", name="code_shape"),
    )


class Team(Keyed, Base):
    """A team of one organisation in one partnership; co-located teams have members from several employers."""

    __tablename__ = "team"

    organisation_id: Mapped[UUID] = reference_to("organisation.id")
    partnership_id: Mapped[UUID] = reference_to("partnership.id")
    name: Mapped[str] = holds(Holds.LABEL, sa.Text)
    default_purpose: Mapped[str] = holds(Holds.CODE, sa.Text)

    __table_args__ = (
        sa.UniqueConstraint("organisation_id", "partnership_id", "name"),
        one_of("default_purpose", Purpose),
    )


class User(Keyed, Revised, Base):
    """A person with an account, employed by one organisation."""

    __tablename__ = "app_user"

    organisation_id: Mapped[UUID] = reference_to("organisation.id")
    email: Mapped[str] = holds(Holds.STAFF, sa.Text, unique=True)
    name: Mapped[str] = holds(Holds.STAFF, sa.Text)
    job_title: Mapped[str] = holds(Holds.STAFF, sa.Text)
    clearance: Mapped[int] = holds(Holds.ACCESS_FACT, sa.SmallInteger, default=1)
    password_hash: Mapped[str | None] = holds(Holds.SECRET, sa.Text)
    enrolment_hash: Mapped[bytes | None] = holds(Holds.SECRET, sa.LargeBinary)
    enrolment_expires_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    # the secret of the authenticator app, sealed; and the last step that it proved, which counts only upwards
    totp_sealed: Mapped[bytes | None] = holds(Holds.SECRET, sa.LargeBinary)
    totp_key_id: Mapped[UUID | None] = reference_to("data_key.id")
    totp_step: Mapped[int | None] = holds(Holds.COUNT, sa.BigInteger)
    totp_since: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    # an administrator has reset the account: nothing that was proved by before lets in, until the link has been used
    reset_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    disabled_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    disabled_why: Mapped[str | None] = holds(Holds.CODE, sa.Text)
    # from then on it is counted anew how long the account has not been used
    reinstated_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    # the terms of use that the user accepted last
    terms_version: Mapped[str | None] = holds(Holds.STAFF, sa.Text)
    terms_accepted_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    # the oldest of the courses in data protection, safeguarding and this system
    trained_on: Mapped[date | None] = holds(Holds.STAFF, sa.Date)
    vetting: Mapped[str | None] = holds(Holds.STAFF, sa.Text)
    vetting_expires_on: Mapped[date | None] = holds(Holds.STAFF, sa.Date)
    # of temporary staff: the last day with access, as the day is in London
    access_ends_on: Mapped[date | None] = holds(Holds.STAFF, sa.Date)
    # who recorded these last, and when
    conditions_set_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    conditions_set_by: Mapped[UUID | None] = reference_to("app_user.id", what=Holds.STAFF)

    __table_args__ = (
        one_of("disabled_why", DisabledWhy),
        one_of("vetting", Vetting),
        sa.CheckConstraint(
            "(vetting IS NULL OR vetting = 'none') = (vetting_expires_on IS NULL)", name="vetting_with_end"
        ),
        sa.CheckConstraint("(terms_version IS NULL) = (terms_accepted_at IS NULL)", name="terms_with_time"),
        sa.CheckConstraint(
            "(conditions_set_at IS NULL) = (conditions_set_by IS NULL)", name="conditions_with_setter"
        ),
        sa.CheckConstraint("disabled_at IS NOT NULL OR disabled_why IS NULL", name="disabled_with_reason"),
        sa.CheckConstraint("email = lower(email)", name="email_lower"),
        # nobody signs in as the hub itself
        sa.CheckConstraint(
            "email NOT LIKE '%@hub.invalid' OR (password_hash IS NULL AND enrolment_hash IS NULL AND totp_sealed IS NULL)",
            name="service_without_proof",
        ),
        sa.CheckConstraint("clearance IN (0, 1)", name="clearance_known"),
        sa.CheckConstraint(
            "(totp_sealed IS NULL) = (totp_key_id IS NULL) AND (totp_sealed IS NULL) = (totp_since IS NULL)",
            name="totp_whole",
        ),
    )


class TeamMembership(Base):
    """A user's place in a team: the hats to choose from."""

    __tablename__ = "team_membership"

    team_id: Mapped[UUID] = reference_to("team.id", primary_key=True)
    user_id: Mapped[UUID] = reference_to("app_user.id", primary_key=True, what=Holds.STAFF)
    joined_at: Mapped[datetime] = holds(Holds.TIME, TIMESTAMP)
    left_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)

    __table_args__ = (sa.Index("ix_team_membership_user", "user_id"),)


class RoleHolding(Base):
    """A role that a user holds in one partnership."""

    __tablename__ = "role_holding"

    user_id: Mapped[UUID] = reference_to("app_user.id", primary_key=True, what=Holds.STAFF)
    partnership_id: Mapped[UUID] = reference_to("partnership.id", primary_key=True)
    role: Mapped[str] = holds(Holds.CODE, sa.Text, primary_key=True)
    granted_at: Mapped[datetime] = holds(Holds.TIME, TIMESTAMP)
    ended_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)

    __table_args__ = (one_of("role", Role),)


class UserSession(Keyed, Base):
    """A session, on the server. The application role can't read `token_hash`: only the database's functions compare it."""

    __tablename__ = "user_session"

    token_hash: Mapped[bytes] = holds(Holds.SECRET, sa.LargeBinary, unique=True)
    user_id: Mapped[UUID] = reference_to("app_user.id", what=Holds.STAFF)
    team_id: Mapped[UUID] = reference_to("team.id")
    purpose: Mapped[str] = holds(Holds.CODE, sa.Text)
    kind: Mapped[str] = holds(Holds.CODE, sa.Text)
    method: Mapped[str] = holds(Holds.CODE, sa.Text)
    authenticated_at: Mapped[datetime] = holds(Holds.TIME, TIMESTAMP)
    last_seen_at: Mapped[datetime] = holds(Holds.TIME, TIMESTAMP)
    expires_at: Mapped[datetime] = holds(Holds.TIME, TIMESTAMP)
    ended_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    # families of browser and system as a code, and the network: what a user recognises a session by
    device: Mapped[str | None] = holds(Holds.STAFF, sa.Text)
    network: Mapped[str | None] = holds(Holds.STAFF, sa.Text)
    # the provider that vouched for the user, and what it calls its own session: by that it is ended from there
    provider_id: Mapped[UUID | None] = holds(Holds.KEY, sa.Uuid)
    provider_session: Mapped[str | None] = holds(Holds.STAFF, sa.Text)
    # it began with a passkey that lies on one device and nowhere else
    device_bound: Mapped[bool] = holds(Holds.ACCESS_FACT, sa.Boolean, default=False)

    __table_args__ = (
        one_of("kind", Source),
        one_of("method", Method),
        one_of("purpose", Purpose),
        sa.CheckConstraint("device ~ '^[a-z]+[.][a-z]+$'", name="device_is_a_code"),
        sa.Index("ix_user_session_user", "user_id", "last_seen_at"),
    )


class Ceremony(Keyed, Base):
    """A proof of who somebody is that has begun and not ended: a code to come, a challenge to sign, a provider to return from.

    The browser holds its token in a cookie; the row goes as soon as it is used.
    """

    __tablename__ = "ceremony"

    token_hash: Mapped[bytes] = holds(Holds.SECRET, sa.LargeBinary, unique=True)
    kind: Mapped[str] = holds(Holds.CODE, sa.Text)
    # 32 random bytes: what a passkey signs, or what state, nonce and verifier are derived from
    challenge: Mapped[bytes] = holds(Holds.SECRET, sa.LargeBinary)
    user_id: Mapped[UUID | None] = reference_to("app_user.id", what=Holds.STAFF)
    # the session that it belongs to, where there is one; and what else it is about, such as a provider
    session_id: Mapped[UUID | None] = holds(Holds.KEY, sa.Uuid)
    about: Mapped[UUID | None] = holds(Holds.KEY, sa.Uuid)
    address: Mapped[str] = holds(Holds.REFERENCE, sa.Text, default="/")
    tries: Mapped[int] = holds(Holds.COUNT, sa.SmallInteger, default=0)
    expires_at: Mapped[datetime] = holds(Holds.TIME, TIMESTAMP)

    __table_args__ = (one_of("kind", CeremonyKind), sa.Index("ix_ceremony_expires_at", "expires_at"))
