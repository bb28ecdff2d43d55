"""Who may read and change a case, along which table its status moves (HANDBOOK 7.3), and who may close it (8.1)."""

from __future__ import annotations

from hub.access.actor import Actor
from hub.access.permissions import Permission
from hub.access.policy import guard_class, item_rules, record_rules
from hub.cases.models import Case, CaseIncident, StatusChange
from hub.cases.vocabulary import CLOSURE_APPROVAL, ENDED, RAISED_RISK, Approval, CaseKind, RiskLevel
from hub.cases.vocabulary import CaseStatus as S
from hub.core.errors import Conflict, Denied

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
# In the order in which a page offers them.
_ORDER = tuple(S)


def next_states(actor: Actor, case: Case) -> tuple[S, ...]:
    """The states that this actor may move the case to now, as far as its row tells."""
    following = TRANSITIONS[S(case.status)]
    return tuple(to for to in _ORDER if to in following and (to is not S.CLOSED or may_close(actor, case)))


def needs_another(case: Case) -> bool:
    """May the person who worked it not approve its closure?"""
    approval = CLOSURE_APPROVAL[CaseKind(case.kind)]
    return approval is Approval.ANOTHER or (
        approval is Approval.ANOTHER_AT_RISK and RiskLevel(case.risk_level) in RAISED_RISK
    )


def may_close(actor: Actor, case: Case) -> bool:
    own = case.lead_officer_id == actor.user_id
    return (
        S(case.status) is S.CLOSURE_PENDING
        and actor.may(Permission.CASE_CLOSE)
        and not (own and needs_another(case))
    )


def check_may_close(actor: Actor, case: Case, *, asked_by: object = None) -> None:
    """Raises `Denied` unless the actor may approve this closure. `asked_by` is the user who asked for it."""
    if not actor.may(Permission.CASE_CLOSE):
        raise Denied("may_not_close", "Only a supervisor can close a case. Nothing was changed.")
    if needs_another(case) and actor.user_id in (case.lead_officer_id, asked_by):
        raise Denied(
            "own_closure", "You worked this case: for its type, somebody else must approve the closure."
        )


def check_move(case: Case, to: S) -> None:
    """Raises `Conflict` for a move that is not in the table."""
    if to not in TRANSITIONS[S(case.status)]:
        raise Conflict(
            "no_such_move", "The case cannot go to that status from the one it is in. Nothing was changed."
        )


def check_live(case: Case) -> None:
    """Raises `Conflict` for a case that has ended: it is read, and its log still takes notes."""
    if S(case.status) in ENDED:
        raise Conflict(
            "case_ended", "This case has ended and can only be read. You can still add a note to its log."
        )
