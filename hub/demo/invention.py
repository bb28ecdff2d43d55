"""Invented people, places and vehicles, drawn from a seed: the same seed gives the same world."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path

from hub.demo.cast import AREAS

# Mixed origins, hyphens, apostrophes, diacritics and single names on purpose (HANDBOOK 15).
_WORDS: dict[str, list[str]] = json.loads((Path(__file__).parent / "names.json").read_text())
SHOPS = _WORDS["shops"]


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
            name = (self.draw.choice(_WORDS["given"]), self.draw.choice(_WORDS["family"]))
            if name not in self._used:
                self._used.add(name)
                break
        born = self.year - self.draw.randint(youngest, oldest)
        exact = self.draw.random()
        text = (
            f"{born}-{self.draw.randint(1, 12):02d}-{self.draw.randint(1, 28):02d}"
            if exact < 0.8
            else str(born)
        )
        known = self.draw.choice(_WORDS["street_names"]) if street_name and self.draw.random() < 0.5 else ""
        return InventedPerson(name[0], name[1], known, text)

    def place(self, area: str, *, open_space: bool = False) -> InventedPlace:
        """An address or open space in a ward of the area, with an invented outward code (none is real)."""
        town, wards = AREAS[area]
        ward = self.draw.choice(wards)
        latitude = round(54.5 + 0.1 * list(AREAS).index(area) + self.draw.random() / 50, 5)
        longitude = round(-1.2 + self.draw.random() / 20, 5)
        if open_space:
            name = f"{ward} {self.draw.choice(_WORDS['open_spaces']).lower()}"
            return InventedPlace("park", name, "", town, ward, None, latitude, longitude)
        street = self.draw.choice(_WORDS["streets"])
        postcode = f"ZZ{list(AREAS).index(area) + 1} {self.draw.randint(1, 9)}{self.draw.choice('ABDEF')}{self.draw.choice('GHJLN')}"
        return InventedPlace(
            "address",
            f"{self.draw.randint(1, 120)} {street}",
            street,
            town,
            ward,
            postcode,
            latitude,
            longitude,
        )

    def mark(self) -> str:
        """A vehicle mark of a series that was never issued (age code 00)."""
        letters = "ABCDEFGHJKLMNOPRSTUVWXYZ"
        return f"Z{self.draw.choice('QX')}00{''.join(self.draw.choice(letters) for _ in range(3))}"
