"""Who is in the invented partnership: areas, organisations, teams, people and the agreements between them. Data only."""

from __future__ import annotations

from dataclasses import dataclass

from hub.access.permissions import Role
from hub.access.vocabulary import Purpose
from hub.accounts.vocabulary import OrganisationKind as K

AREAS = {
    "NBK": ("Northbrook", ("Harbour", "Old Town", "Elm Park", "Station Road", "Mill Lane")),
    "EMR": ("Eastmere", ("Lakeside", "Priory", "Kingsmead", "The Warren")),
    "FWV": ("Fenwick Vale", ("Fenwick Green", "Upper Vale", "Quarry", "Brightwell")),
    "SLT": ("Saltmarsh", ("Seafront", "Dunes", "Market", "Lighthouse")),
}

# code → name, kind
ORGANISATIONS: dict[str, tuple[str, K]] = {
    "NBC": ("Northbrook Council", K.COUNCIL_UNITARY),
    "EMC": ("Eastmere Council", K.COUNCIL_UNITARY),
    "FVC": ("Fenwick Vale Council", K.COUNCIL_UNITARY),
    "SMC": ("Saltmarsh Council", K.COUNCIL_UNITARY),
    "TVP": ("Tarrow Valley Police", K.POLICE_FORCE),
    "NEY": ("Northbrook and Eastmere Youth Justice Service", K.YOUTH_JUSTICE_SERVICE),
    "FSY": ("Fenwick and Saltmarsh Youth Justice Service", K.YOUTH_JUSTICE_SERVICE),
    "TPB": ("Tarrow Probation Delivery Unit", K.PROBATION),
    "TFR": ("Tarrow Fire and Rescue Service", K.FIRE),
    "HBH": ("Harbour Homes", K.REGISTERED_PROVIDER),
    "TVC": ("Tarrow Victim Care", K.VICTIM_SERVICE),
    "LNT": ("Lantern Outreach", K.VCSE),
    "OPC": ("Office of the Tarrow Police and Crime Commissioner", K.LOCAL_POLICING_BODY),
}

# team → organisation, area, name, default purpose
TEAMS: dict[str, tuple[str, str, str, Purpose]] = {
    "nb_safety": ("NBC", "NBK", "Community safety", Purpose.PREVENT_CRIME),
    # co-located: members of three employers, each as far as their own employer's agreement goes
    "nb_street": ("NBC", "NBK", "Street hub", Purpose.SAFEGUARD_ADULT),
    "nb_wardens": ("NBC", "NBK", "Neighbourhood wardens", Purpose.PREVENT_CRIME),
    "em_safety": ("EMC", "EMR", "Community safety", Purpose.PREVENT_CRIME),
    "fv_safety": ("FVC", "FWV", "Community safety", Purpose.PREVENT_CRIME),
    "sm_safety": ("SMC", "SLT", "Community safety", Purpose.PREVENT_CRIME),
    "nb_npt": ("TVP", "NBK", "Northbrook neighbourhood team", Purpose.PREVENT_CRIME),
    "em_npt": ("TVP", "EMR", "Eastmere neighbourhood team", Purpose.PREVENT_CRIME),
    "fv_npt": ("TVP", "FWV", "Fenwick Vale neighbourhood team", Purpose.PREVENT_CRIME),
    "sm_npt": ("TVP", "SLT", "Saltmarsh neighbourhood team", Purpose.PREVENT_CRIME),
    "nb_pvp": ("TVP", "NBK", "Protecting vulnerable people", Purpose.SAFEGUARD_CHILD),
    "ne_yjs": ("NEY", "NBK", "Case management", Purpose.SAFEGUARD_CHILD),
    "ne_yjs_em": ("NEY", "EMR", "Case management", Purpose.SAFEGUARD_CHILD),
    "fs_yjs": ("FSY", "FWV", "Prevention", Purpose.SAFEGUARD_CHILD),
    "probation": ("TPB", "NBK", "Sentence management", Purpose.MANAGE_OFFENDER),
    "fire": ("TFR", "NBK", "Prevention", Purpose.PROTECT_PUBLIC),
    "homes": ("HBH", "NBK", "Tenancy enforcement", Purpose.TENANCY),
    "victim": ("TVC", "NBK", "Independent advisers", Purpose.SUPPORT_VICTIM),
    "outreach": ("LNT", "NBK", "Street outreach", Purpose.SAFEGUARD_ADULT),
    "policing_body": ("OPC", "NBK", "Scrutiny", Purpose.CASE_REVIEW),
}


@dataclass(frozen=True)
class Person:
    """A user: key (also the e-mail's local part), name, job role (HANDBOOK 2.3), teams, roles."""

    key: str
    name: str
    job: str
    teams: tuple[str, ...]
    roles: tuple[Role, ...] = (Role.PRACTITIONER,)


@dataclass(frozen=True)
class Facts:
    """Days from now: when the training was, when the vetting ends, and the last day of temporary staff."""

    trained: int = -120
    vetted: int = 500
    ends: int | None = None


# who stands otherwise than everybody else
FACTS = {
    "dylan.prosser": Facts(trained=-380),
    "rhys.llewellyn": Facts(vetted=21),
    "beth.tranter": Facts(ends=75),
}


_SUPERVISES = (Role.PRACTITIONER, Role.SUPERVISOR)
_ADMINISTERS = (Role.ADMINISTRATOR,)
_AUDITS = (Role.AUDITOR,)
_PROTECTS = (Role.DATA_PROTECTION,)
_ALL_NPT = ("nb_npt", "em_npt", "fv_npt", "sm_npt")

PEOPLE = (
    Person("amara.okafor", "Amara Okafor", "Community safety officer", ("nb_safety",)),
    Person("dylan.prosser", "Dylan Prosser", "ASB officer", ("nb_safety",)),
    Person("rhys.llewellyn", "Rhys Llewellyn", "Community safety manager", ("nb_safety",), _SUPERVISES),
    Person("beth.tranter", "Beth Tranter", "Neighbourhood warden", ("nb_wardens", "nb_street")),
    Person("lena.marsh", "Lena Marsh", "Information governance officer", ("nb_safety",), _ADMINISTERS),
    Person("miriam.castle", "Miriam Castle", "Auditor", ("nb_safety",), _AUDITS),
    Person("sunita.hale", "Sunita Hale", "Data protection officer", ("nb_safety",), _PROTECTS),
    Person("colm.devlin", "Colm Devlin", "Community safety officer", ("em_safety",)),
    Person("anjali.rao", "Anjali Rao", "Community safety manager", ("em_safety",), _SUPERVISES),
    Person("peter.yarrow", "Peter Yarrow", "Information governance officer", ("em_safety",), _ADMINISTERS),
    Person("selma.voss", "Selma Voss", "Auditor", ("em_safety",), _AUDITS),
    Person("hollie.grange", "Hollie Grange", "ASB officer", ("fv_safety",)),
    Person("marek.dudek", "Marek Dudek", "Community safety manager", ("fv_safety",), _SUPERVISES),
    Person("tess.aldous", "Tess Aldous", "Information governance officer", ("fv_safety",), _ADMINISTERS),
    Person("ivor.blanche", "Ivor Blanche", "Auditor", ("fv_safety",), _AUDITS),
    Person("nia.corrigan", "Nia Corrigan", "Community safety officer", ("sm_safety",)),
    Person("saul.whitby", "Saul Whitby", "Community safety manager", ("sm_safety",), _SUPERVISES),
    Person("freya.lund", "Freya Lund", "Information governance officer", ("sm_safety",), _ADMINISTERS),
    Person("omar.siddiq", "Omar Siddiq", "Auditor", ("sm_safety",), _AUDITS),
    Person("tomasz.nowak", "Tomasz Nowak", "Neighbourhood sergeant", ("nb_npt",), _SUPERVISES),
    Person("ellie.marchbank", "Ellie Marchbank", "PCSO", ("nb_npt", "nb_street")),
    Person("imogen.farrow", "Imogen Farrow", "Neighbourhood sergeant", ("em_npt",), _SUPERVISES),
    Person("jay.bhatti", "Jay Bhatti", "Neighbourhood constable", ("em_npt",)),
    Person("keir.dunmore", "Keir Dunmore", "Neighbourhood sergeant", ("fv_npt",), _SUPERVISES),
    Person("lottie.spence", "Lottie Spence", "PCSO", ("fv_npt",)),
    Person("aled.vaughan", "Aled Vaughan", "Neighbourhood sergeant", ("sm_npt",), _SUPERVISES),
    Person("ruth.pickering", "Ruth Pickering", "Neighbourhood constable", ("sm_npt",)),
    Person("helen.stroud", "Helen Stroud", "Neighbourhood inspector", _ALL_NPT, _SUPERVISES),
    Person("david.aspinall", "David Aspinall", "PVP officer", ("nb_pvp",)),
    Person("ola.brandt", "Ola Brandt", "Information governance officer", _ALL_NPT, _ADMINISTERS),
    Person("gareth.pugh", "Gareth Pugh", "Auditor", _ALL_NPT, _AUDITS),
    Person("conor.wye", "Conor Wye", "Data protection officer", _ALL_NPT, _PROTECTS),
    Person("dana.whitlock", "Dana Whitlock", "Youth justice case manager", ("ne_yjs", "ne_yjs_em")),
    Person(
        "jonas.field",
        "Jonas Field",
        "Youth justice team manager",
        ("ne_yjs", "ne_yjs_em"),
        (Role.SUPERVISOR, *_ADMINISTERS),
    ),
    Person("priya.menon", "Priya Menon", "Youth justice case manager", ("fs_yjs",)),
    Person(
        "carys.bowen",
        "Carys Bowen",
        "Youth justice team manager",
        ("fs_yjs",),
        (Role.SUPERVISOR, *_ADMINISTERS),
    ),
    Person("leon.fairclough", "Leon Fairclough", "Probation practitioner", ("probation",)),
    Person("maud.ellery", "Maud Ellery", "IOM officer", ("probation",), (Role.PRACTITIONER, *_ADMINISTERS)),
    Person(
        "stuart.kells", "Stuart Kells", "Prevention officer", ("fire",), (Role.PRACTITIONER, *_ADMINISTERS)
    ),
    Person("zofia.wrobel", "Zofia Wróbel", "Tenancy enforcement officer", ("homes",)),
    Person("ivy.marlowe", "Ivy Marlowe", "Income officer", ("homes",), (Role.FACT_RECIPIENT,)),
    Person("gil.hartnoll", "Gil Hartnoll", "Housing manager", ("homes",), _ADMINISTERS),
    Person("esther.quill", "Esther Quill", "IDVA", ("victim",)),
    Person("bryony.sale", "Bryony Sale", "Service manager", ("victim",), _ADMINISTERS),
    Person("noor.aziz", "Noor Aziz", "Outreach worker", ("outreach", "nb_street")),
    Person("ines.moor", "Ines Moor", "Director", ("outreach",), _ADMINISTERS),
    Person("craig.lomas", "Craig Lomas", "Scrutiny officer", ("policing_body",), (Role.READ_ONLY,)),
    Person("judith.ames", "Judith Ames", "Chief executive", ("policing_body",), _ADMINISTERS),
)


@dataclass(frozen=True)
class Pact:
    """An agreement: parties, purposes (purpose, gateway, basis), days from now of start and end, who signs."""

    key: str
    title: str
    area: str
    parties: tuple[str, ...]
    purposes: tuple[tuple[Purpose, str, str], ...]
    days: tuple[int, int]
    signed_by: tuple[str, ...]
    suspended: str = ""


_CORE = (
    (Purpose.PREVENT_CRIME, "cda_115", "art6_1e"),
    (Purpose.PROTECT_PUBLIC, "cda_115", "art6_1e"),
    (Purpose.SAFEGUARD_CHILD, "ca04_10_11", "art6_1e"),
    (Purpose.MANAGE_OFFENDER, "oma07_14", "p3_task"),
)

PACTS = (
    Pact(
        "northbrook",
        "Northbrook Community Safety Partnership agreement",
        "NBK",
        ("NBC", "TVP", "NEY", "TPB", "TFR"),
        _CORE,
        (-540, 190),
        ("lena.marsh", "ola.brandt", "jonas.field", "maud.ellery", "stuart.kells"),
    ),
    Pact(
        "eastmere",
        "Eastmere Community Safety Partnership agreement",
        "EMR",
        ("EMC", "TVP", "NEY"),
        _CORE,
        (-540, 190),
        ("peter.yarrow", "ola.brandt", "jonas.field"),
    ),
    Pact(
        "fenwick",
        "Fenwick Vale Community Safety Partnership agreement",
        "FWV",
        ("FVC", "TVP", "FSY"),
        _CORE,
        (-540, 190),
        ("tess.aldous", "ola.brandt", "carys.bowen"),
    ),
    Pact(
        "saltmarsh",
        "Saltmarsh Community Safety Partnership agreement",
        "SLT",
        ("SMC", "TVP"),
        _CORE,
        (-540, 190),
        ("freya.lund", "ola.brandt"),
    ),
    Pact(
        "street",
        "Northbrook street outreach agreement",
        "NBK",
        ("NBC", "TVP", "LNT"),
        ((Purpose.SAFEGUARD_ADULT, "care_42_45", "art6_1e"), (Purpose.PREVENT_CRIME, "cda_115", "art6_1e")),
        (-400, 330),
        ("lena.marsh", "ola.brandt", "ines.moor"),
    ),
    Pact(
        "victims",
        "Domestic abuse and victim support agreement",
        "NBK",
        ("NBC", "TVP", "TVC"),
        ((Purpose.SUPPORT_VICTIM, "cda_115", "art6_1e"), (Purpose.SAFEGUARD_ADULT, "care_42_45", "art6_1e")),
        (-500, 230),
        ("lena.marsh", "ola.brandt", "bryony.sale"),
    ),
    Pact(
        "homes",
        "Harbour Homes tenancy agreement",
        "NBK",
        ("NBC", "HBH"),
        ((Purpose.TENANCY, "cda_115", "art6_1b"),),
        (-300, 430),
        ("lena.marsh", "gil.hartnoll"),
    ),
    Pact(
        "retail",
        "Northbrook retail crime pilot",
        "NBK",
        ("NBC", "TVP", "OPC"),
        ((Purpose.DETECT_CRIME, "cda_115", "art6_1e"),),
        (-460, -95),
        ("lena.marsh", "ola.brandt", "judith.ames"),
    ),
    Pact(
        "saltmarsh_homes",
        "Saltmarsh housing data agreement",
        "SLT",
        ("SMC", "HBH"),
        ((Purpose.TENANCY, "cda_115", "art6_1b"),),
        (-200, 530),
        ("freya.lund", "gil.hartnoll"),
        "Security review of the landlord's system is overdue",
    ),
    Pact(
        "eastmere_street",
        "Eastmere street outreach agreement",
        "EMR",
        ("EMC", "LNT"),
        ((Purpose.SAFEGUARD_ADULT, "care_42_45", "art6_1e"),),
        (-20, 700),
        ("peter.yarrow",),
    ),
)
