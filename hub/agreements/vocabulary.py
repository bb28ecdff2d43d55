"""Legal gateways (HANDBOOK 3.1), lawful bases (3.3) and conditions (3.4) that a share may stand on, and steps of an agreement."""

from __future__ import annotations

import enum

GATEWAYS = {
    "cda_115": "Crime and Disorder Act 1998 s.115",
    "cda_17a": "Crime and Disorder Act 1998 s.17A (depersonalised only)",
    "cda_17": "Crime and Disorder Act 1998 s.17",
    "cda_37_39": "Crime and Disorder Act 1998 ss.37 to 39",
    "ca04_10_11": "Children Act 2004 ss.10 and 11",
    "ca04_16": "Children Act 2004 ss.16E to 16H",
    "cwsa26_4": "Children’s Wellbeing and Schools Act 2026 s.4",
    "ca89_17_47": "Children Act 1989 ss.17, 27 and 47",
    "care_42_45": "Care Act 2014 ss.42 to 45",
    "asb14_case_review": "ASB, Crime and Policing Act 2014 s.104",
    "asb14_powers": "ASB, Crime and Policing Act 2014 Parts 1 to 4",
    "pcsc22_sv": "Police, Crime, Sentencing and Courts Act 2022 ss.8, 16 and 17",
    "dea17_35": "Digital Economy Act 2017 s.35",
    "da21": "Domestic Abuse Act 2021",
    "cja03_325": "Criminal Justice Act 2003 s.325",
    "oma07_14": "Offender Management Act 2007 s.14",
    "ctsa15": "Counter-Terrorism and Security Act 2015 Part 5",
    "ha96_duty_refer": "Housing Act 1996 s.213B",
    "ms15_52": "Modern Slavery Act 2015 s.52",
    "common_law_police": "Common law and police statutory functions",
    "localism_1": "Localism Act 2011 s.1",
    "court_order": "Order of a court",
    "vital_interests": "Vital interests (life or limb at stake)",
    "explicit_agreement": "The person asked for or agreed to the disclosure",
}

# What each gateway is for and where it ends, as help beside the choice. It gives the power or duty to disclose; the
# lawful basis is recorded as well.
GATEWAY_LIMITS = {
    "cda_115": "A power, not a duty: to a relevant authority or someone acting for it, where necessary or expedient for a "
    "purpose of the Act. Case by case; data protection law and confidentiality still apply.",
    "cda_17a": "A duty to disclose prescribed information to each other each quarter, depersonalised only.",
    "cda_17": "A general duty to have regard to preventing crime. It supports a purpose and is not itself a power to disclose.",
    "cda_37_39": "The aim of the youth justice system: for work with the youth justice service.",
    "ca04_10_11": "Named bodies arrange to improve well-being and to safeguard children. Sharing where necessary is implied.",
    "ca04_16": "Safeguarding partners ask for information. The request is in writing.",
    "cwsa26_4": "Sharing to safeguard a child or promote welfare, between practitioners in health, education, care and police.",
    "ca89_17_47": "A child in need, enquiries into significant harm, and help from other authorities.",
    "care_42_45": "An adult with care and support needs who is at risk. The adult’s wishes are recorded.",
    "asb14_case_review": "On request, for a case review. It must be given if it relates to a public function, unless data "
    "protection or interception law forbids it.",
    "asb14_powers": "Evidence for injunctions, criminal behaviour orders, protection notices, closure, public spaces orders "
    "and dispersal.",
    "pcsc22_sv": "The serious violence duty. It does not authorise patient information, nor personal information from a "
    "health or social care authority, nor anything against data protection law.",
    "dea17_35": "Only scheduled bodies and objectives, under the statutory code. Check the schedule.",
    "da21": "Not itself a general gateway: pair it with s.115, the Children Act 2004 or common law.",
    "cja03_325": "MAPPA authorities and duty-to-co-operate bodies. MAPPA papers stay in MAPPA systems.",
    "oma07_14": "Sharing for the management of offenders.",
    "ctsa15": "Prevent and Channel. Keep it out of general cases.",
    "ha96_duty_refer": "Public bodies refer homeless or threatened people to a housing authority. The person must consent.",
    "ms15_52": "Notice of possible victims of modern slavery, to the national referral mechanism.",
    "common_law_police": "Disclosure for a policing purpose, where there is a pressing need and it is proportionate.",
    "localism_1": "A council’s general power. Weak alone.",
    "court_order": "As the court ordered. Keep a copy.",
    "vital_interests": "Life or limb at stake. Reviewed within 24 hours.",
    "explicit_agreement": "Agreement to a service is not the same thing as consent under UK GDPR.",
}

# Depersonalised data only: they never carry a share of a record.
DEPERSONALISED_ONLY = frozenset({"cda_17a"})

# Shown, and not to be chosen: an agreement here carries personal data.
NOT_CHOOSABLE = {
    "cda_17a": "It carries depersonalised information only, and what is shared here is personal data.",
    "cwsa26_4": "The day on which the duty starts is not confirmed.",
}

LAWFUL_BASES = {
    "art6_1e": "Public task (UK GDPR Art 6(1)(e))",
    "art6_1c": "Legal obligation (UK GDPR Art 6(1)(c))",
    "art6_1d": "Vital interests (UK GDPR Art 6(1)(d))",
    "art6_1f": "Legitimate interests (UK GDPR Art 6(1)(f))",
    "art6_1ea": "Recognised legitimate interest",
    "art6_1b": "Contract: tenancy management",
    "p3_task": "Part 3 s.35(2)(b): necessary for a law enforcement task",
    # consent is the last that anybody should come to (HANDBOOK 3.6)
    "p3_consent": "Part 3 s.35(2)(a): consent",
    "art6_1a": "Consent (UK GDPR Art 6(1)(a)): rarely right here",
}

# HANDBOOK 3.4; those of Part 3 (`s8_…`) are conditions of Schedule 8
CONDITIONS = {
    "s1_p1": "Sch 1 para 1: employment, social security, social protection",
    "s1_p2": "Sch 1 para 2: health or social care purposes",
    "s1_p6": "Sch 1 para 6: statutory and government purposes",
    "s1_p8": "Sch 1 para 8: equality of opportunity monitoring",
    "s1_p10": "Sch 1 para 10: preventing or detecting unlawful acts",
    "s1_p17": "Sch 1 para 17: counselling and support",
    "s1_p18": "Sch 1 para 18: safeguarding of children and individuals at risk",
    "s1_p33": "Sch 1 para 33: legal claims",
    "s1_p36": "Sch 1 para 36: criminal offence data",
    "art9_c": "Art 9(2)(c): vital interests",
    "s8_statutory": "Sch 8 (Part 3): judicial and statutory purposes",
    "s8_justice": "Sch 8 (Part 3): administration of justice",
    "s8_vital": "Sch 8 (Part 3): vital interests",
    "s8_safeguarding": "Sch 8 (Part 3): safeguarding",
    "s8_legal_claims": "Sch 8 (Part 3): legal claims",
    "s8_fraud": "Sch 8 (Part 3): fraud prevention",
}


class Step(enum.StrEnum):
    """What is done about an agreement, in the order of its life."""

    CREATED = "created"
    CHANGED = "changed"
    SENT = "sent"
    SIGNED = "signed"
    SUSPENDED = "suspended"
    RESUMED = "resumed"
    LEFT = "left"
    ENDED = "ended"
    WARNED = "warned"


STEP_LABELS = {
    Step.CREATED: "Drafted",
    Step.CHANGED: "Draft changed",
    Step.SENT: "Sent out for signature",
    Step.SIGNED: "Signed",
    Step.SUSPENDED: "Suspended",
    Step.RESUMED: "Resumed",
    Step.LEFT: "Left the agreement",
    Step.ENDED: "Ended",
    Step.WARNED: "Parties told that it ends",
}
