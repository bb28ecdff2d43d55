"""Files of the arena's cases with what is done to them: a row of its own for each act. Their objects are nowhere: what is asked
here is who is let in, and nobody comes as far as the store."""

from __future__ import annotations

from functools import partial
from uuid import UUID

import sqlalchemy as sa

from hub.access.actions import item_of
from hub.access.actor import NOBODY, Actor
from hub.access.guard import enter
from hub.access.models import Record
from hub.access.vocabulary import Marking, Section
from hub.accounts.models import RoleHolding
from hub.attachments.hiding import hide_file
from hub.attachments.holding import ask_to_lift, place_hold
from hub.attachments.models import Attachment, StoredObject
from hub.attachments.vocabulary import DocumentKind, ScanState
from hub.audit.changing import take_up
from hub.audit.recording import append
from hub.cases.vocabulary import CaseStatus
from hub.core import clock
from hub.core.ids import new_id
from hub.crypto import keyring, wrapping
from hub.crypto.randomness import new_key
from hub.crypto.stream import ciphertext_length
from hub.disclosures.actions import ask_for_bundle
from hub.disclosures.forms import BundleForm
from hub.erasures.actions import ask_erasure
from hub.erasures.vocabulary import ErasureGround
from hub.extensions import db
from hub.storage.s3 import new_object_key
from tests.attacks.asides import Asides, make_supervisor
from tests.cases.making import at_status
from tests.fixtures.world import World, act_as

SIZE = 5


def add_file(actor: Actor, record_id: UUID, word: str) -> UUID:
    """A file of the case that waits for its scan, as an upload would have written it down; committed."""
    take_up(actor, [record_id])
    record = db.session.scalars(sa.select(Record).where(Record.id == record_id)).one()
    held = keyring.data_key(db.session(), record.partnership_id, record_id)
    file_id, object_key, now = new_id(), new_object_key(), clock.now()
    db.session.execute(
        sa.insert(StoredObject).values(
            object_key=object_key, organisation_id=actor.organisation_id, begun_at=now, kept_at=now
        )
    )
    row = Attachment(
        **item_of(actor, record, Section.FILES, marking=Marking.OFFICIAL),
        id=file_id,
        version=1,
        sealed_name=wrapping.seal_text(held.key, f"{word}.txt", purpose="file-name", ids=(file_id,)),
        kind=DocumentKind.REPORT.value,
        description=f"{word} file",
        source=f"{word} camera",
        exhibit=f"{word}/1",
        media_type="text/plain; charset=utf-8",
        size=SIZE,
        sha256="0" * 64,
        stored_size=ciphertext_length(SIZE),
        stored_sha256="0" * 64,
        object_key=object_key,
        object_version="",
        data_key_id=held.id,
        wrapped_key=wrapping.wrap(held.key, new_key(), purpose="file", ids=(file_id, "1")),
        scan_state=ScanState.PENDING.value,
    )
    db.session.add(row)
    db.session.flush()
    append(
        actor,
        "attachment.added",
        object_id=file_id,
        version=1,
        records=[record_id],
        facts={"kind": row.kind, "original": row.sha256},
    )
    db.session.commit()
    return file_id


def file_acts(world: World, made: Asides, case_id: UUID, word: str) -> None:
    """Hidden files, holds, bundles and erasures, on the case and on closed ones."""
    held = make_supervisor(world, "housing_officer")
    second = partial(act_as, world, "housing_officer", team="safety")
    files = [add_file(act_as(world, "officer"), case_id, word) for _ in range(4)]
    hide_file(act_as(world, "officer"), case_id, files[0], reason=f"{word} twice", revision=1)
    db.session.commit()
    made.acts["case_file.restore"] = {"attachment_id": files[0]}
    made.acts["case_holds.place_on_file"] = {"attachment_id": files[1]}
    for act, file_id in (("ask", files[2]), ("lift", files[3])):
        hold = place_hold(
            act_as(world, "manager"), case_id, reason=f"{word} inquest", attachment_id=file_id
        ).id
        db.session.commit()
        if act == "lift":
            ask_to_lift(second(), case_id, hold, reason=f"{word} over")
            db.session.commit()
        made.acts[f"case_holds.{act}"] = {"hold_id": hold}
    form = BundleForm(world.organisations["police"], False, f"{word} court")
    for name, who in (("ours", partial(act_as, world, "manager")), ("approve", second)):
        bundle = ask_for_bundle(who(), case_id, form).id
        db.session.commit()
        if name == "ours":
            made.ours["disclosure_id"] = bundle
        else:
            made.acts["case_disclosures.approve"] = {"disclosure_id": bundle}
    _erasures(world, made, second)
    enter(db.session(), NOBODY)
    ended: RoleHolding = db.session.merge(held)
    ended.ended_at = clock.now()
    db.session.commit()


def _erasures(world: World, made: Asides, second: partial[Actor]) -> None:
    def closed() -> UUID:
        return at_status(act_as(world, "officer"), CaseStatus.CLOSED).id

    for act in ("ours", "erasures.approve", "erasures.refuse"):
        case_id = closed()
        erasure = ask_erasure(second(), case_id, ErasureGround.RETENTION_OVER).id
        db.session.commit()
        if act == "ours":
            made.ours["erasure_id"] = erasure
        else:
            made.acts[act] = {"erasure_id": erasure}
    waiting = {"case_id": closed()}
    made.acts |= {"erasures.steps": waiting, "erasures.ask": waiting}
