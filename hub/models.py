"""Every table and every guarded class, imported once: for the application, the migrations and the walls."""

from __future__ import annotations

import hub.access.guard
import hub.access.guarded
import hub.access_requests.policy
import hub.accounts.models
import hub.agreements.models
import hub.assurances.models
import hub.attachments.file_policy
import hub.attachments.policy
import hub.attestations.models
import hub.audit.models
import hub.cases.policy
import hub.chronology.policy
import hub.consents.policy
import hub.crypto.models
import hub.directories.models
import hub.disclosures.policy
import hub.erasures.models
import hub.handovers.policy
import hub.incidents.policy
import hub.interests.policy
import hub.lists.models
import hub.notifications.models
import hub.panels.models
import hub.passkeys.models
import hub.people.policy
import hub.places.policy
import hub.providers.models
import hub.reviews.models
import hub.role_changes.models
import hub.settings.models
import hub.sharing.policy
import hub.vehicles.policy
import hub.web.models  # noqa: F401
