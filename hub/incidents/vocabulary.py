"""Code lists of incidents: what kind of thing happened, and how it reached us (HANDBOOK 7.2, 8, 14.2)."""

from __future__ import annotations

import enum


class IncidentKind(enum.StrEnum):
    NOISE = "noise"
    NEIGHBOUR_DISPUTE = "neighbour_dispute"
    OFF_ROAD_MOTORBIKE = "off_road_motorbike"
    BEGGING = "begging"
    STREET_DRINKING = "street_drinking"
    ROWDY_BEHAVIOUR = "rowdy_behaviour"
    HATE_INCIDENT = "hate_incident"
    DOMESTIC_ABUSE = "domestic_abuse"
    MISSING_EPISODE = "missing_episode"
    SHOP_THEFT = "shop_theft"
    CRIMINAL_DAMAGE = "criminal_damage"
    DRUGS = "drugs"
    VEHICLE_CRIME = "vehicle_crime"
    BURGLARY = "burglary"
    ROBBERY = "robbery"
    VIOLENCE = "violence"
    WEAPONS = "weapons"
    PUBLIC_ORDER = "public_order"
    THEFT = "theft"
    FIRE_SETTING = "fire_setting"
    ANTI_SOCIAL_BEHAVIOUR = "anti_social_behaviour"
    OTHER = "other"


INCIDENT_KIND_LABELS = {
    IncidentKind.NOISE: "Noise",
    IncidentKind.NEIGHBOUR_DISPUTE: "Neighbour dispute",
    IncidentKind.OFF_ROAD_MOTORBIKE: "Off-road motorbike",
    IncidentKind.BEGGING: "Begging or street-based sighting",
    IncidentKind.STREET_DRINKING: "Street drinking",
    IncidentKind.ROWDY_BEHAVIOUR: "Rowdy behaviour",
    IncidentKind.HATE_INCIDENT: "Hate incident",
    IncidentKind.DOMESTIC_ABUSE: "Domestic abuse",
    IncidentKind.MISSING_EPISODE: "Missing episode",
    IncidentKind.SHOP_THEFT: "Shop theft",
    IncidentKind.CRIMINAL_DAMAGE: "Criminal damage",
    IncidentKind.DRUGS: "Drugs",
    IncidentKind.VEHICLE_CRIME: "Vehicle crime",
    IncidentKind.BURGLARY: "Burglary",
    IncidentKind.ROBBERY: "Robbery",
    IncidentKind.VIOLENCE: "Violence",
    IncidentKind.WEAPONS: "Weapons",
    IncidentKind.PUBLIC_ORDER: "Public order",
    IncidentKind.THEFT: "Theft",
    IncidentKind.FIRE_SETTING: "Fire setting",
    IncidentKind.ANTI_SOCIAL_BEHAVIOUR: "Anti-social behaviour",
    IncidentKind.OTHER: "Other",
}


class IncidentSource(enum.StrEnum):
    PUBLIC_REPORT = "public_report"
    PARTNER_REFERRAL = "partner_referral"
    POLICE = "police"
    COUNCILLOR_MP = "councillor_mp"
    SELF_GENERATED = "self_generated"
    MEETING = "meeting"
    ANONYMOUS = "anonymous"
    IMPORTED = "imported"


INCIDENT_SOURCE_LABELS = {
    IncidentSource.PUBLIC_REPORT: "A member of the public",
    IncidentSource.PARTNER_REFERRAL: "A partner organisation",
    IncidentSource.POLICE: "Police",
    IncidentSource.COUNCILLOR_MP: "Councillor or MP",
    IncidentSource.SELF_GENERATED: "Seen by our own staff",
    IncidentSource.MEETING: "A meeting",
    IncidentSource.ANONYMOUS: "Anonymous",
    IncidentSource.IMPORTED: "Imported from a file",
}
