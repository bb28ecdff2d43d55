"""Who may read and change a case, and along which table its status moves (HANDBOOK 7.3)."""

from __future__ import annotations

from hub.access.policy import guard_class, item_rules, record_rules
from hub.cases.models import Case, CaseIncident, StatusChange
from hub.cases.vocabulary import CaseStatus as S

guard_class(Case, record_rules())
guard_class(StatusChange, item_rules())
guard_class(CaseIncident, item_rules())

TRANSITIONS: dict[S, frozenset[S]] = {
    S.NEW: frozenset({S.TRIAGE, S.REJECTED_DUPLICATE}),
    S.TRIAGE: frozenset(
        {S.OPEN, S.SIGNPOSTED, S.NO_FURTHER_ACTION, S.MERGED, S.TRANSFERRED, S.REJECTED_DUPLICATE}
    ),
    S.OPEN: frozenset({S.ON_HOLD, S.MONITORING, S.CLOSURE_PENDING, S.MERGED, S.TRANSFERRED}),
    S.ON_HOLD: frozenset({S.OPEN, S.MONITORING}),
    S.MONITORING: frozenset({S.OPEN, S.CLOSURE_PENDING}),
    S.CLOSURE_PENDING: frozenset({S.OPEN, S.CLOSED}),
    S.CLOSED: frozenset({S.REOPENED}),
    S.REOPENED: frozenset({S.OPEN}),
    S.SIGNPOSTED: frozenset(),
    S.NO_FURTHER_ACTION: frozenset(),
    S.REJECTED_DUPLICATE: frozenset(),
    S.MERGED: frozenset(),
    S.TRANSFERRED: frozenset(),
}
