"""Legal gateways (HANDBOOK 3.1) and lawful bases (3.3) that a share may stand on."""

from __future__ import annotations

GATEWAYS = {
    "cda_115": "Crime and Disorder Act 1998 s.115",
    "cda_17a": "Crime and Disorder Act 1998 s.17A (depersonalised only)",
    "cda_17": "Crime and Disorder Act 1998 s.17",
    "cda_37_39": "Crime and Disorder Act 1998 ss.37 to 39",
    "ca04_10_11": "Children Act 2004 ss.10 and 11",
    "ca04_16": "Children Act 2004 ss.16E to 16H",
    "ca89_17_47": "Children Act 1989 ss.17, 27 and 47",
    "care_42_45": "Care Act 2014 ss.42 to 45",
    "asb14_case_review": "ASB, Crime and Policing Act 2014 s.104",
    "asb14_powers": "ASB, Crime and Policing Act 2014 Parts 1 to 4",
    "pcsc22_sv": "Police, Crime, Sentencing and Courts Act 2022 ss.8, 16 and 17",
    "dea17_35": "Digital Economy Act 2017 s.35",
    "da21": "Domestic Abuse Act 2021",
    "cja03_325": "Criminal Justice Act 2003 s.325",
    "oma07_14": "Offender Management Act 2007 s.14",
    "common_law_police": "Common law and police statutory functions",
    "localism_1": "Localism Act 2011 s.1",
    "court_order": "Order of a court",
    "vital_interests": "Vital interests (life or limb at stake)",
    "explicit_agreement": "The person asked for or agreed to the disclosure",
}

# Depersonalised data only: they never carry a share of a record.
DEPERSONALISED_ONLY = frozenset({"cda_17a"})

LAWFUL_BASES = {
    "art6_1e": "Public task (UK GDPR Art 6(1)(e))",
    "art6_1c": "Legal obligation (UK GDPR Art 6(1)(c))",
    "art6_1d": "Vital interests (UK GDPR Art 6(1)(d))",
    "art6_1f": "Legitimate interests (UK GDPR Art 6(1)(f))",
    "art6_1ea": "Recognised legitimate interest",
    "art6_1b": "Contract: tenancy management",
    "p3_task": "Part 3 s.35(2)(b): necessary for a law enforcement task",
    "p3_consent": "Part 3 s.35(2)(a): consent",
    "art6_1a": "Consent (UK GDPR Art 6(1)(a)): rarely right here",
}

# HANDBOOK 3.4, those in use here
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
}
