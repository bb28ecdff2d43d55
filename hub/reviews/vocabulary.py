"""How a review of an alert ends, and where a sampled access stands."""

from __future__ import annotations

import enum

MOST_SAMPLED = 50


class Decision(enum.StrEnum):
    JUSTIFIED = "justified"
    TRAINING = "training"
    REFERRED = "referred"
    FALSE_ALARM = "false_alarm"
    DATA_BREACH = "data_breach"


DECISION_LABELS = {
    Decision.JUSTIFIED: "Justified: there was a reason to look",
    Decision.FALSE_ALARM: "False alarm: the rule met something else",
    Decision.TRAINING: "Training: they are told how to do it rightly",
    Decision.REFERRED: "Referred to professional standards",
    Decision.DATA_BREACH: "Data breach: reported as one",
}


class Verdict(enum.StrEnum):
    ACCEPTED = "accepted"
    NOT_ACCEPTED = "not_accepted"


VERDICT_LABELS = {Verdict.ACCEPTED: "Accepted", Verdict.NOT_ACCEPTED: "Not accepted"}


class AccessState(enum.StrEnum):
    WAITING = "waiting"
    OVERDUE = "overdue"
    ANSWERED = "answered"
    ACCEPTED = "accepted"
    NOT_ACCEPTED = "not_accepted"


# words, tone of the tag
ACCESS_STATES = {
    AccessState.WAITING: ("Waits for an answer", "yellow"),
    AccessState.OVERDUE: ("Overdue", "red"),
    AccessState.ANSWERED: ("Answered", "blue"),
    AccessState.ACCEPTED: ("Accepted", "green"),
    AccessState.NOT_ACCEPTED: ("Not accepted", "red"),
}
