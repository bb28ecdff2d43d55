"""Several files in one form: each is stored and committed as it comes, and what happened is told file by file.

Where the third is refused the first two stay. Every file has a key of its own under the form's, so that a repeat of the
form, whole or after a cut line, adds nothing twice. A form that says that its file is alone has it refused by its length.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar
from uuid import UUID, uuid5

from flask import jsonify, redirect, request
from werkzeug.wrappers import Response

from hub.access.actor import Actor
from hub.attachments.limits import max_bytes
from hub.attachments.receiving import MAX_FIELD_BYTES, MAX_FIELDS, NoteRefusal, Refusal, drain, refusal_of
from hub.core.errors import Conflict, Invalid
from hub.extensions import db
from hub.web.gate import check_csrf
from hub.web.multipart import BadMultipart, CutShort, FieldPart, FilePart, TooLarge, read_form_then_file
from hub.web.once import earlier, finish, parse_form_key

MAX_AT_ONCE = 50
NOT_THE_SAME = "A file of this name was attached from this form already, and it is another one. Reload the page and choose this one again"
TOO_MANY = Refusal(
    "too_many_at_once",
    {"file": f"Choose {MAX_AT_ONCE} files or fewer at once. Those after were not attached"},
    413,
)
Form = TypeVar("Form")


@dataclass(frozen=True)
class Result:
    """What came of one file: its id, or the sentence that says why it was not kept."""

    name: str
    id: UUID | None = None
    why: str = ""
    status: int = 200


@dataclass(frozen=True)
class Taking(Generic[Form]):
    """What is done with a form of files: read its fields, keep one file, tell where they went."""

    parse: Callable[[Mapping[str, str]], Form]
    keep: Callable[[Form, FilePart], UUID]
    # the SHA-256 of a file that was kept before
    original_of: Callable[[UUID], str | None]
    note_refusal: NoteRefusal
    address: Callable[[Sequence[UUID]], str]
    again: Callable[[dict[str, str], dict[str, str], Sequence[Result]], str]
    # fields whose values the page gets back
    shown: Collection[str] = ()


@dataclass(frozen=True)
class _Begun(Generic[Form]):
    """What stood before the first file: the form's key, its fields, and where it led if it was carried out before."""

    key: UUID
    form: Form
    done: str | None


@dataclass
class _Batch(Generic[Form]):
    """One body on its way in."""

    actor: Actor
    taking: Taking[Form]
    values: dict[str, str] = field(default_factory=dict)
    results: list[Result] = field(default_factory=list)

    def read(self, parts: Iterable[FieldPart | FilePart]) -> str:
        """Keeps what can be kept, file by file; where all of it went."""
        fields: dict[str, str] = {}
        begun: _Begun[Form] | None = None
        for part in parts:
            if not isinstance(part, FilePart):
                fields[part.name] = part.value
                continue
            begun = begun or self._begin(fields)
            if begun.done is not None:
                return begun.done
            if not part.filename:
                continue
            # of several none tells its own length
            self._one(begun, part if fields.get("alone") else replace(part, announced=0))
            if fields.get("alone") and self.results[-1].id is None:
                # going on would read what was refused to its end
                break
        begun = begun or self._begin(fields)
        if begun.done is None and not self.results:
            raise Invalid("no_file", errors={"file": "Choose a file"})
        return begun.done or self._finish(begun.key)

    def _begin(self, fields: Mapping[str, str]) -> _Begun[Form]:
        """Checks the form before the first byte of a file is taken."""
        check_csrf(fields.get("csrf_token") or request.headers.get("X-CSRF-Token"))
        key = parse_form_key(fields.get("form_key"))
        self.values.update({name: fields.get(name, "") for name in self.taking.shown})
        done = earlier(self.actor, key)
        # the key is taken for good with the last file: no transaction is held over the stream
        db.session.rollback()
        return _Begun(key, self.taking.parse(fields), done)

    def _one(self, begun: _Begun[Form], part: FilePart) -> None:
        key = uuid5(begun.key, f"{len(self.results)}/{part.filename}")
        try:
            self.results.append(Result(part.filename, self._kept(key, begun.form, part)))
        except (Invalid, Conflict, TooLarge) as error:
            db.session.rollback()
            refusal = refusal_of(error)
            self.taking.note_refusal(refusal.why)
            db.session.commit()
            why = next(iter(refusal.errors.values()))
            self.results.append(Result(part.filename, why=why, status=refusal.status))

    def _kept(self, key: UUID, form: Form, part: FilePart) -> UUID:
        before = earlier(self.actor, key)
        db.session.rollback()
        if before is not None:
            return self._same(UUID(before), part)
        attachment_id = self.taking.keep(form, part)
        before = earlier(self.actor, key)
        if (
            before is not None
        ):  # the same form came twice at once, and the other was first: this file is swept
            db.session.rollback()
            return UUID(before)
        finish(key, str(attachment_id))
        db.session.commit()
        return attachment_id

    def _same(self, attachment_id: UUID, part: FilePart) -> UUID:
        """The file that was kept before, where this is the same again."""
        digest = hashlib.sha256()
        for block in part.blocks:
            digest.update(block)
        if self.taking.original_of(attachment_id) != digest.hexdigest():
            raise Conflict("another_file", NOT_THE_SAME)
        return attachment_id

    def _finish(self, key: UUID) -> str:
        """Takes the form's own key once all of it was kept; where something was refused it may come again."""
        address = self.taking.address([one.id for one in self.results if one.id is not None])
        if any(one.id is None for one in self.results):
            return address
        begun = earlier(self.actor, key)
        if begun is not None:
            db.session.rollback()
            return begun
        finish(key, address)
        db.session.commit()
        return address


def take_uploads(actor: Actor, taking: Taking[Form]) -> Response | tuple[str, int]:
    """The answer to an upload: on to where all was kept, or the page again with what happened to each. Commits."""
    batch = _Batch(actor, taking)
    errors: dict[str, str] = {}
    status = 200
    try:
        request.max_content_length = sys.maxsize
        address = batch.read(
            read_form_then_file(
                request.stream,
                request.content_type,
                request.content_length,
                max_file_size=max_bytes(),
                max_field_size=MAX_FIELD_BYTES,
                max_fields=MAX_FIELDS,
                max_files=MAX_AT_ONCE,
            )
        )
        if all(one.id is not None for one in batch.results):
            return _as_json(batch.results, {}, 200) if _wants_json() else redirect(address, 303)
    except (Invalid, Conflict, BadMultipart, TooLarge, CutShort) as error:
        db.session.rollback()
        refusal = TOO_MANY if isinstance(error, TooLarge) and error.code == "files" else refusal_of(error)
        errors, status = refusal.errors, refusal.status
        taking.note_refusal(refusal.why)
        db.session.commit()
    finally:
        drain()
    status = max([status, *(one.status for one in batch.results)])
    if _wants_json():
        return _as_json(batch.results, errors, status)
    return taking.again({**_told(batch.results), **errors}, batch.values, batch.results), status


def _told(results: Sequence[Result]) -> dict[str, str]:
    """The refusals as the summary of errors tells them: one is told beside its field, of several each by its name."""
    refused = [one for one in results if one.id is None]
    if len(results) == len(refused) == 1:
        return {"file": refused[0].why}
    return {"file": "; ".join(f"{one.name}: {one.why}" for one in refused)} if refused else {}


def _wants_json() -> bool:
    return request.accept_mimetypes.best == "application/json"


def _as_json(results: Sequence[Result], errors: Mapping[str, str], status: int) -> Response:
    response = jsonify(
        files=[{"name": one.name, "id": str(one.id) if one.id else None, "why": one.why} for one in results],
        errors=dict(errors),
    )
    response.status_code = status
    return response
