"""Who may read and change an incident: it is a record."""

from __future__ import annotations

from hub.access.policy import guard_class, record_rules
from hub.incidents.models import Incident

guard_class(Incident, record_rules())
