"""Who may read an entry and who may add one; emergency access may add one too. Entries are never changed."""

from __future__ import annotations

from hub.access.policy import guard_class, item_rules
from hub.chronology.models import Entry

guard_class(Entry, item_rules(entry=True))
