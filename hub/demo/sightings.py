"""The street cohort and the incidents that belong to no case. Data only; placeholders as in `stories`."""

from __future__ import annotations

from hub.chronology.vocabulary import EntryKind as E
from hub.chronology.vocabulary import EntryNature
from hub.incidents.vocabulary import IncidentKind

F, A = EntryNature.FACT, EntryNature.ASSESSMENT

# The cohort: 60 people who beg in one town; prolific is 8 or more sightings (HANDBOOK 8.6, tier 3).
BEGGING_PEOPLE = 60
BEGGING_PROLIFIC = 32
SIGHTINGS = (
    "Sitting by {shop} on {place} at {time}, asking passers-by for change. Polite. Offered a hot drink and the address of the hub; accepted the drink.",
    "At the cash machine on {place} at {time}. Moved when asked. Said that there is a bed at a friend's for now.",
    "Asleep in the doorway of {shop} on {place}. Woken gently, well, no wish to talk today.",
    "Begging by the car park on {place}, following people to their cars. One complaint from a shopper.",
    "Seen with the outreach worker on {place} at {time}. Has an appointment about benefits on Monday.",
    "Drinking with two others on {place} at {time}. No complaint. Welfare looked all right.",
)
BEGGING_ENTRIES = (
    (
        E.CONTACT_MADE,
        F,
        "Talked for ten minutes. Would take a room if the dog can come. Will be introduced to the outreach worker.",
    ),
    (E.PARTNER_UPDATE, F, "Outreach: came to breakfast twice this week, seen by the nurse."),
    (
        E.DECISION,
        A,
        "Support first. A written warning is only considered if aggressive begging is seen again after the offer of a room.",
    ),
    (E.MEETING_OUTCOME, F, "Panel: named worker agreed, next look at the plan in four weeks."),
)
LOOSE_INCIDENTS = (
    (IncidentKind.NOISE, "Noise from a party at {place} at {time}. Quiet when visited."),
    (
        IncidentKind.ROWDY_BEHAVIOUR,
        "Young people on the roof of a garage behind {place} at {time}. Gone on arrival.",
    ),
    (IncidentKind.STREET_DRINKING, "Group drinking on the benches at {place}. Bottles left behind."),
    (IncidentKind.FIRE_SETTING, "Wheelie bin set alight at {place} at {time}. Put out by a resident."),
    (IncidentKind.DRUGS, "Smell of cannabis and short visits by car at {place} in the evenings."),
    (
        IncidentKind.VEHICLE_CRIME,
        "Car doors tried along {place} at {time}. Nothing taken from two unlocked cars.",
    ),
    (IncidentKind.ANTI_SOCIAL_BEHAVIOUR, "Fly-tipping and shouting at the bins behind {place}."),
    (IncidentKind.SHOP_THEFT, "Bottle of spirits taken from {shop} on {place} at {time}."),
    (IncidentKind.OFF_ROAD_MOTORBIKE, "One off-road bike heard on {place} at {time}, not seen."),
)
