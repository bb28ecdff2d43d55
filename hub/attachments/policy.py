"""Who may read, add and change an attachment, and who may hold a record's files."""

from __future__ import annotations

from hub.access.policy import Rules, change_record, guard_class, item_rules, read_record
from hub.attachments.models import Attachment, LegalHold

guard_class(Attachment, item_rules(changeable=True))
# whoever reads the record sees that it is held; who leads it places the hold and lifts it
guard_class(
    LegalHold,
    Rules(
        read=lambda row, terms: read_record(row, row.record_id, terms),
        add=lambda row, terms: change_record(row, row.record_id, terms),
        change=lambda row, terms: change_record(row, row.record_id, terms),
        opened_by=("record_id",),
    ),
)
