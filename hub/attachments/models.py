"""The attachment, and the ledger by which no object in the store is ever without an owner."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from hub.access.facts import ItemFacts, RecordFacts, facts_key, item_constraints
from hub.attachments.vocabulary import DocumentKind, ScanState
from hub.core.schema import TIMESTAMP, Base, Holds, Keyed, Revised, holds, one_of, reference_to


class Attachment(Keyed, Revised, ItemFacts, Base):
    """A file on a record: where its ciphertext lies, its own key wrapped by the record's, its name sealed.

    A replacement is a row of its own, with its own key, contributor and scan: what was there before stays as it was.
    """

    __tablename__ = "attachment"

    # its number in the series of its replacements, from 1
    version: Mapped[int] = holds(Holds.COUNT, sa.Integer, default=1)
    sealed_name: Mapped[bytes] = holds(Holds.SEALED, sa.LargeBinary)
    kind: Mapped[str] = holds(Holds.CODE, sa.Text, default=DocumentKind.OTHER)
    description: Mapped[str] = holds(Holds.FREE_TEXT, sa.Text, default="")
    # when the picture was taken or the document was made, as far as known (a partial date)
    taken_on: Mapped[str | None] = holds(Holds.TIME, sa.Text)
    # from whom or where it came, and its exhibit reference in court
    source: Mapped[str] = holds(Holds.FREE_TEXT, sa.Text, default="")
    exhibit: Mapped[str] = holds(Holds.FREE_TEXT, sa.Text, default="")
    media_type: Mapped[str] = holds(Holds.CODE, sa.Text)
    # of the original, in bytes; and its SHA-256, shown and provable
    size: Mapped[int] = holds(Holds.COUNT, sa.BigInteger)
    sha256: Mapped[str] = holds(Holds.REFERENCE, sa.Text)
    stored_size: Mapped[int] = holds(Holds.COUNT, sa.BigInteger)
    stored_sha256: Mapped[str] = holds(Holds.REFERENCE, sa.Text)
    object_key: Mapped[str] = holds(
        Holds.REFERENCE, sa.Text, sa.ForeignKey("stored_object.object_key"), unique=True
    )
    object_version: Mapped[str] = holds(Holds.REFERENCE, sa.Text)
    data_key_id: Mapped[UUID] = reference_to("data_key.id")
    wrapped_key: Mapped[bytes] = holds(Holds.SECRET, sa.LargeBinary)
    scan_state: Mapped[str] = holds(Holds.CODE, sa.Text)
    scanned_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    # the signature that was found, or why it can't be scanned
    scan_finding: Mapped[str | None] = holds(Holds.CODE, sa.Text)
    replaces_id: Mapped[UUID | None] = reference_to("attachment.id", unique=True)
    replaced_reason: Mapped[str] = holds(Holds.FREE_TEXT, sa.Text, default="")
    superseded_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    hidden_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    hidden_by: Mapped[UUID | None] = reference_to("app_user.id", what=Holds.STAFF)
    hidden_reason: Mapped[str] = holds(Holds.FREE_TEXT, sa.Text, default="")

    __table_args__ = (
        *item_constraints("attachment"),
        one_of("kind", DocumentKind),
        one_of("scan_state", ScanState),
        sa.CheckConstraint("size >= 0 AND stored_size > size", name="sizes"),
        sa.CheckConstraint("(replaces_id IS NULL) = (version = 1)", name="first_replaces_nothing"),
        sa.CheckConstraint("num_nulls(hidden_at, hidden_by) IN (0, 2)", name="hidden_by_somebody"),
        sa.Index("ix_attachment_unscanned", "id", postgresql_where=sa.text("scan_state = 'pending'")),
        sa.Index(
            "ix_attachment_infected",
            "scanned_at",
            "id",
            postgresql_where=sa.text("scan_state = 'infected'"),
        ),
    )


class LegalHold(Keyed, Revised, RecordFacts, Base):
    """While it stands nothing of the record, or not this one file, is hidden or erased. Two people lift it."""

    __tablename__ = "legal_hold"

    record_id: Mapped[UUID] = holds(Holds.KEY, sa.Uuid)
    # none: the whole record
    attachment_id: Mapped[UUID | None] = reference_to("attachment.id")
    reason: Mapped[str] = holds(Holds.FREE_TEXT, sa.Text)
    placed_at: Mapped[datetime] = holds(Holds.TIME, TIMESTAMP)
    placed_by: Mapped[UUID] = reference_to("app_user.id", what=Holds.STAFF)
    lift_asked_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    lift_asked_by: Mapped[UUID | None] = reference_to("app_user.id", what=Holds.STAFF)
    lift_reason: Mapped[str] = holds(Holds.FREE_TEXT, sa.Text, default="")
    lifted_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    lifted_by: Mapped[UUID | None] = reference_to("app_user.id", what=Holds.STAFF)

    __table_args__ = (
        facts_key("record_id", "legal_hold"),
        sa.CheckConstraint("length(reason) BETWEEN 1 AND 2000", name="reason_given"),
        sa.CheckConstraint(
            "num_nulls(lift_asked_at, lift_asked_by) IN (0, 2)", name="lift_asked_by_somebody"
        ),
        sa.CheckConstraint("num_nulls(lifted_at, lifted_by) IN (0, 2)", name="lifted_by_somebody"),
        sa.CheckConstraint(
            "lifted_by IS NULL OR (lift_asked_by IS NOT NULL AND lifted_by <> lift_asked_by)",
            name="two_people",
        ),
        sa.Index("ix_legal_hold_standing", "record_id", postgresql_where=sa.text("lifted_at IS NULL")),
    )


class Paper(Keyed, Base):
    """A file that belongs to no record: a signed agreement, or evidence of a partner's assurance. Sealed like any other."""

    __tablename__ = "paper"

    partnership_id: Mapped[UUID] = reference_to("partnership.id")
    organisation_id: Mapped[UUID] = reference_to("organisation.id")
    added_by: Mapped[UUID] = reference_to("app_user.id", what=Holds.STAFF)
    agreement_id: Mapped[UUID | None] = reference_to("agreement.id")
    assurance_id: Mapped[UUID | None] = reference_to("assurance.id")
    version: Mapped[int] = holds(Holds.COUNT, sa.Integer, default=1)
    sealed_name: Mapped[bytes] = holds(Holds.SEALED, sa.LargeBinary)
    media_type: Mapped[str] = holds(Holds.CODE, sa.Text)
    size: Mapped[int] = holds(Holds.COUNT, sa.BigInteger)
    sha256: Mapped[str] = holds(Holds.REFERENCE, sa.Text)
    stored_size: Mapped[int] = holds(Holds.COUNT, sa.BigInteger)
    stored_sha256: Mapped[str] = holds(Holds.REFERENCE, sa.Text)
    object_key: Mapped[str] = holds(
        Holds.REFERENCE, sa.Text, sa.ForeignKey("stored_object.object_key"), unique=True
    )
    object_version: Mapped[str] = holds(Holds.REFERENCE, sa.Text)
    data_key_id: Mapped[UUID] = reference_to("data_key.id")
    wrapped_key: Mapped[bytes] = holds(Holds.SECRET, sa.LargeBinary)
    scan_state: Mapped[str] = holds(Holds.CODE, sa.Text)
    scanned_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    scan_finding: Mapped[str | None] = holds(Holds.CODE, sa.Text)

    __table_args__ = (
        one_of("scan_state", ScanState),
        sa.CheckConstraint("num_nonnulls(agreement_id, assurance_id) = 1", name="one_subject"),
        sa.CheckConstraint("size >= 0 AND stored_size > size", name="sizes"),
        sa.Index("ix_paper_agreement", "agreement_id"),
        sa.Index("ix_paper_assurance", "assurance_id"),
        sa.Index("ix_paper_unscanned", "id", postgresql_where=sa.text("scan_state = 'pending'")),
    )


class ScanTry(Base):
    """A file whose scan came to nothing, and when it is tried again. Its row goes with the scan that comes to something."""

    __tablename__ = "scan_try"

    # of an attachment or a paper
    file_id: Mapped[UUID] = holds(Holds.REFERENCE, sa.Uuid, primary_key=True)
    tries: Mapped[int] = holds(Holds.COUNT, sa.Integer)
    why: Mapped[str] = holds(Holds.CODE, sa.Text)
    due_at: Mapped[datetime] = holds(Holds.TIME, TIMESTAMP)


class StoredObject(Base):
    """An object in the store, written down *before* the first byte goes there, so that the sweep finds all orphans."""

    __tablename__ = "stored_object"

    object_key: Mapped[str] = holds(Holds.REFERENCE, sa.Text, primary_key=True)
    organisation_id: Mapped[UUID] = reference_to("organisation.id")
    begun_at: Mapped[datetime] = holds(Holds.TIME, TIMESTAMP)
    # set in the transaction that makes the attachment's row
    kept_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)
    removed_at: Mapped[datetime | None] = holds(Holds.TIME, TIMESTAMP)

    __table_args__ = (
        sa.Index(
            "ix_stored_object_loose",
            "begun_at",
            postgresql_where=sa.text("kept_at IS NULL AND removed_at IS NULL"),
        ),
    )


class FileUse(Base):
    """How many bytes a user has stored for an organisation: kept by triggers, so that a quota costs a look and no counting."""

    __tablename__ = "file_use"

    organisation_id: Mapped[UUID] = reference_to("organisation.id", primary_key=True)
    user_id: Mapped[UUID] = reference_to("app_user.id", what=Holds.STAFF, primary_key=True)
    files: Mapped[int] = holds(Holds.COUNT, sa.BigInteger)
    # of the originals, replaced and hidden ones too
    stored_bytes: Mapped[int] = holds(Holds.COUNT, sa.BigInteger)

    __table_args__ = (sa.CheckConstraint("files >= 0 AND stored_bytes >= 0", name="not_negative"),)
