"""Invented people, places and vehicles, drawn from a seed: the same seed gives the same world."""

from __future__ import annotations

import random
from dataclasses import dataclass

from hub.demo.cast import AREAS

# Mixed origins, hyphens, apostrophes, diacritics and single names on purpose (HANDBOOK 15).
GIVEN = ["Aaron", "Abena", "Adele", "Aisha", "Alfie", "Alice", "Alistair", "Amina", "Anwen", "Arjun", "Asha", "Ava", "Ben", "Bethan", "Bilal", "Brogan", "Caitlin", "Callum", "Carl", "Carmel", "Ceri", "Charlie", "Chloe", "Ciarán", "Connor", "Daisy", "Danuta", "Darren", "Deepa", "Derek", "Dilys", "Donna", "Dorota", "Dwayne", "Edie", "Eilidh", "Elijah", "Ella", "Emeka", "Erin", "Ethan", "Ewa", "Faith", "Farah", "Fatima", "Finn", "Fiona", "Gemma", "George", "Gethin", "Grace", "Hamza", "Hannah", "Harriet", "Hassan", "Hazel", "Ibrahim", "Ida", "Iestyn", "Ines", "Isaac", "Ivy", "Jade", "Jamal", "Jan", "Jasmine", "Jay", "Jerome", "Jodie", "Joel", "Josef", "Joyce", "Kacper", "Kamal", "Karen", "Kayleigh", "Keith", "Kofi", "Kyle", "Lacey", "Layla", "Leanne", "Liam", "Lily", "Logan", "Lorna", "Lucia", "Magda", "Malik", "Mandy", "Maria", "Mason", "Maya", "Megan", "Mia", "Mohammed", "Mo", "Nadia", "Naomi", "Neil", "Niamh", "Nicky", "Noah", "Nora", "Oisín", "Olivia", "Omari", "Oscar", "Owen", "Paige", "Pawel", "Phoebe", "Pia", "Poppy", "Rachel", "Rafał", "Reece", "Rhian", "Rosa", "Ross", "Ruby", "Ryan", "Sade", "Samir", "Sana", "Scott", "Sean", "Shanice", "Sharon", "Siân", "Sofia", "Stan", "Steph", "Tariq", "Tegan", "Theo", "Tia", "Tilly", "Tyler", "Uzma", "Vera", "Wayne", "Wiktor", "Yasmin", "Yusuf", "Zac", "Zainab", "Zara", "Zoë"]
FAMILY = ["Abara", "Adair", "Akande", "Alden", "Amoah", "Archdale", "Ashdown", "Babatunde", "Bagshaw", "Barlow", "Beddoes", "Bialek", "Birtwell", "Blackmoor", "Bowness", "Brackley", "Brannigan", "Burdock", "Cairncross", "Cattermole", "Chaudhry", "Clegg", "Coates-Nash", "Corbett", "Cray", "Dacre", "Dalgleish", "Danso", "Dewhurst", "D'Souza", "Dunthorne", "Eames", "Eboue", "Eckersley", "Elwood", "Farrelly", "Fenn", "Firth", "Gadsby", "Gaunt", "Ghosh", "Gilchrist", "Goodfellow", "Greenhalgh", "Haddow", "Hallworth", "Harkness", "Hussain-Cole", "Iddon", "Ingleby", "Jaskulski", "Jessop", "Kaczor", "Kamara", "Keogh", "Kershaw", "Kinsella", "Lachlan", "Lamprey", "Langtree", "Leary", "Lockyer", "Łukasik", "MacAskill", "Mahmood", "Mallory", "Mbeki", "Merriweather", "Mistry", "Moffat", "Mulcahy", "Nadeem", "Naylor", "Nettle", "Ní-Bhrian", "Norcross", "Nwosu", "Oakden", "O'Dowd", "Okoro", "Orme", "Osborn-Lee", "Padgett", "Partridge", "Patchett", "Pendry", "Pickles", "Quartey", "Quennell", "Rashid", "Rawcliffe", "Redfearn", "Rigby", "Rowntree", "Sadler", "Scholes", "Sealey", "Shadwell", "Simons", "Skelton", "Sobczak", "Starkie", "Stubbs", "Sugden", "Tattersall", "Thackray", "Tindall", "Trevanion", "Tuffin", "Ullah", "Unsworth", "Vance", "Varley", "Wadsworth", "Wardle", "Wedderburn", "Whelan", "Wigley", "Wojcik", "Wolstenholme", "Yardley", "Yates-Bell", "Zielinski"]
STREET_NAMES = ("Ghost", "Big Steve", "Smiler", "Jonno", "Tash", "Scouse", "Red", "Nan", "Digger", "Bishop", "Mouse", "Tinker")
STREETS = (
    "Elm Court", "Cooper Street", "Ferry Lane", "Tannery Row", "Victoria Terrace", "Almond Close", "Beacon Road", "Foundry Walk",
    "Chapel Hill", "Sandpiper Way", "Orchard Grove", "Wharf Street", "Kestrel Drive", "Brewery Yard", "Linden Avenue",
    "Canal Side", "Market Place", "Rope Walk", "Hawthorn Crescent", "Station Approach",
)
OPEN_SPACES = ("Common", "Park", "Recreation ground", "Disused railway line", "Nature reserve", "Playing fields")
SHOPS = ("the supermarket", "the chemist", "the corner shop", "the shoe shop", "the off-licence", "the petrol station")


@dataclass(frozen=True)
class InventedPerson:
    given: str
    family: str
    known_as: str
    born: str


@dataclass(frozen=True)
class InventedPlace:
    kind: str
    description: str
    street: str
    town: str
    ward: str
    postcode: str | None
    latitude: float
    longitude: float


class Inventor:
    """Draws people, places and marks. One per load; every draw comes from its seed."""

    def __init__(self, seed: int, year: int) -> None:
        self.draw = random.Random(seed)  # noqa: S311 - invention, not secrets
        self.year = year
        self._used: set[tuple[str, str]] = set()

    def person(self, *, youngest: int = 18, oldest: int = 79, street_name: bool = False) -> InventedPerson:
        """A person nobody else in the world is called like, born between `oldest` and `youngest` years ago."""
        while True:
            name = (self.draw.choice(GIVEN), self.draw.choice(FAMILY))
            if name not in self._used:
                self._used.add(name)
                break
        born = self.year - self.draw.randint(youngest, oldest)
        exact = self.draw.random()
        text = f"{born}-{self.draw.randint(1, 12):02d}-{self.draw.randint(1, 28):02d}" if exact < 0.8 else str(born)
        known = self.draw.choice(STREET_NAMES) if street_name and self.draw.random() < 0.5 else ""
        return InventedPerson(name[0], name[1], known, text)

    def place(self, area: str, *, open_space: bool = False) -> InventedPlace:
        """An address or open space in a ward of the area, with an invented outward code (none is real)."""
        town, wards = AREAS[area]
        ward = self.draw.choice(wards)
        latitude = round(54.5 + 0.1 * list(AREAS).index(area) + self.draw.random() / 50, 5)
        longitude = round(-1.2 + self.draw.random() / 20, 5)
        if open_space:
            name = f"{ward} {self.draw.choice(OPEN_SPACES).lower()}"
            return InventedPlace("park", name, "", town, ward, None, latitude, longitude)
        street = self.draw.choice(STREETS)
        postcode = f"ZZ{list(AREAS).index(area) + 1} {self.draw.randint(1, 9)}{self.draw.choice('ABDEF')}{self.draw.choice('GHJLN')}"
        return InventedPlace(
            "address", f"{self.draw.randint(1, 120)} {street}", street, town, ward, postcode, latitude, longitude
        )

    def mark(self) -> str:
        """A vehicle mark of a series that was never issued (age code 00)."""
        letters = "ABCDEFGHJKLMNOPRSTUVWXYZ"
        return f"Z{self.draw.choice('QX')}00{''.join(self.draw.choice(letters) for _ in range(3))}"
