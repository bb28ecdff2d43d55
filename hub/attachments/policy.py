"""Who may read an attachment and who may add one."""

from __future__ import annotations

from hub.access.policy import guard_class, item_rules
from hub.attachments.models import Attachment

guard_class(Attachment, item_rules())
