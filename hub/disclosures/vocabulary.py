"""What may be said of a file when it is considered for disclosure (CPIA 1996: relevance first, then sensitivity)."""

from __future__ import annotations

import enum

# above this many files a second supervisor agrees before the bundle is made (SECURITY Z8)
ALONE_AT_MOST = 50


class Relevance(enum.StrEnum):
    NOT_ASSESSED = "not_assessed"
    RELEVANT = "relevant"
    NOT_RELEVANT = "not_relevant"


class Sensitivity(enum.StrEnum):
    NOT_ASSESSED = "not_assessed"
    NOT_SENSITIVE = "not_sensitive"
    SENSITIVE = "sensitive"


RELEVANCE_LABELS = {
    Relevance.NOT_ASSESSED: "Not assessed",
    Relevance.RELEVANT: "Relevant",
    Relevance.NOT_RELEVANT: "Not relevant",
}
SENSITIVITY_LABELS = {
    Sensitivity.NOT_ASSESSED: "Not assessed",
    Sensitivity.NOT_SENSITIVE: "Not sensitive",
    Sensitivity.SENSITIVE: "Sensitive",
}
