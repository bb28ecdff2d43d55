"""Why a record is erased."""

from __future__ import annotations

import enum


class ErasureGround(enum.StrEnum):
    """The law or rule under which a record goes (UK GDPR art. 17, DPA 2018 s.47, the retention schedule)."""

    RETENTION_OVER = "retention_over"
    ERASURE_REQUEST = "erasure_request"
    UNLAWFUL = "unlawful"
    COURT_ORDER = "court_order"


GROUND_LABELS = {
    ErasureGround.RETENTION_OVER: "the retention schedule: its time is over",
    ErasureGround.ERASURE_REQUEST: "a person’s right to erasure",
    ErasureGround.UNLAWFUL: "the duty to erase what should not have been recorded",
    ErasureGround.COURT_ORDER: "an order of a court or of the Information Commissioner",
}
