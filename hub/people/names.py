"""What makes two names alike: short forms, one wrong letter, order of words. Pure functions."""

from __future__ import annotations

import re

import sqlalchemy as sa
from rapidfuzz.distance import DamerauLevenshtein

from hub.core.text import folded

# Common short forms of given names, all folded; every name of a group stands for every other.
_GROUPS = (
    "abigail abbie abby gail",
    "albert al bert bertie",
    "alexander alex alec sandy xander sasha alexandra lexi",
    "alfred alf alfie fred",
    "alistair alastair alasdair alister al",
    "amelia millie amy",
    "andrew andy drew",
    "anthony antony tony ant",
    "arthur art artie",
    "benjamin ben benny",
    "catherine katherine kathryn katharine cath cathy kate katie kathy kit kitty",
    "charles charlie chas chuck",
    "christopher chris kit topher",
    "christine christina chris chrissie tina",
    "daniel dan danny",
    "david dave davey dai",
    "deborah debbie deb debra",
    "donald don donny",
    "dorothy dot dottie dolly",
    "edward ed eddie ted teddy ned",
    "eleanor ellie nell nora",
    "elizabeth elisabeth liz lizzie beth betty eliza libby lisa elsie bess",
    "emily em emmie",
    "francis frank frankie fran",
    "frances fran frankie fanny",
    "frederick fred freddie freddy",
    "gareth gary gaz",
    "geoffrey jeffrey geoff jeff",
    "george georgie",
    "gerald gerard gerry jerry",
    "gregory greg",
    "harold harry hal",
    "henry harry hal hank",
    "isabel isabella isobel izzy bella",
    "jacob jake",
    "jacqueline jackie jacqui",
    "james jim jimmy jamie",
    "jennifer jen jenny",
    "jessica jess jessie",
    "joanna joanne jo",
    "john jon johnny jack",
    "jonathan jon jonny",
    "joseph joe joey",
    "joshua josh",
    "judith judy jude",
    "kenneth ken kenny",
    "lawrence laurence larry laurie",
    "leonard len lenny leo",
    "lewis louis lou louie",
    "lucy lucinda luce",
    "margaret maggie meg peggy marge margie greta",
    "martin martyn marty",
    "matthew matt matty",
    "michael mike mick micky mickey",
    "mohammed muhammad mohammad mohamed mohamad mo",
    "natalie nat",
    "nathan nathaniel nat nate",
    "nicholas nick nicky nico",
    "nicola nicky nikki",
    "oliver ollie olly",
    "pamela pam",
    "patricia pat patsy trish tricia",
    "patrick pat paddy",
    "peter pete",
    "philip phillip phil pip",
    "rebecca becky becca",
    "reginald reg reggie",
    "richard rick rich dick ricky",
    "robert rob bob bobby robbie bert",
    "ronald ron ronnie",
    "rosemary rose rosie",
    "samuel samantha sam sammy",
    "sarah sally",
    "sophia sophie",
    "stanley stan",
    "stephen steven steve stevie",
    "stuart stewart stu",
    "susan suzanne sue susie",
    "theresa teresa terri tess",
    "terence terry",
    "theodore theo ted",
    "thomas tom tommy",
    "timothy tim timmy",
    "victoria vicky vicki tori",
    "vincent vince vinny",
    "walter wally walt",
    "william bill billy will willie liam",
    "zachary zach zac zak",
)
# how letters are written for one sound, then what is left out: `phillips` and `filips` are both flps
_SPOKEN = (
    ("ph", "f"),
    ("ck", "k"),
    ("gh", ""),
    ("^kn", "n"),
    ("^wr", "r"),
    ("[cq]", "k"),
    ("x", "ks"),
    ("z", "s"),
)
_ALIKE: dict[str, frozenset[str]] = {}
for _group in _GROUPS:
    for _name in _group.split():
        _ALIKE[_name] = _ALIKE.get(_name, frozenset()) | frozenset(_group.split())


def name_words(given_names: str, family_name: str, known_as: str) -> str:
    """All parts of a name, folded: what `person_name.words` holds."""
    return folded(f"{given_names} {family_name} {known_as}") or "-"


def short_forms(name: str) -> frozenset[str]:
    """The folded name and every name that commonly stands for it."""
    return _ALIKE.get(name, frozenset()) | {name}


def sound_key(name: str) -> sa.ColumnElement[str]:
    """The first two sounds of a name by Double Metaphone: `Simpson` and `Simons` are SM, `Philips` and `Filips` FL."""
    return sa.func.left(sa.func.dmetaphone(folded(name)), 2)


def consonants(name: str) -> str:
    """The consonants as they are spoken, each once: what two names that sound alike have in common."""
    for written, said in _SPOKEN:
        name = re.sub(written, said, name)
    return re.sub(r"(.)\1+", r"\1", name[:1] + re.sub("[aeiouyhw]", "", name[1:]))


def one_slip_apart(one: str, other: str) -> bool:
    """One letter wrong, missing, added, or two neighbours changed round; two in a word of eight letters or more.

    Words of three letters or fewer must be equal: Ann and Ian are two people.
    """
    shorter = min(len(one), len(other))
    if shorter <= 3:
        return one == other
    return DamerauLevenshtein.distance(one, other, score_cutoff=2) <= (2 if shorter >= 8 else 1)
