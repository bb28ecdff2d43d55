"""The rules of alerts, as data: what each is called, what auditors read of it, its threshold and how far that may be moved.

The database applies a rule by its code (`audit.hits_<code>`, migrations/sql/0003/5_reviews.sql and 0005/5_desk.sql) and keeps
the numbers that are in force. The text must say what the function does: who changes one changes the other.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """One rule, with the number that it has where an organisation set none. `{threshold}` in its text is the one in force.

    A rule that can never be met, or that everything meets, watches nobody: hence the bounds.
    """

    code: str
    title: str
    text: str
    threshold: int
    lowest: int
    highest: int

    def told(self, threshold: int | None = None) -> str:
        return self.text.format(threshold=self.threshold if threshold is None else threshold)


RULES: dict[str, Rule] = {
    rule.code: rule
    for rule in (
        Rule(
            "same_surname",
            "Same surname as the user",
            "A user opened a person whose family name is the user’s own surname, or a case or incident that shows one. The "
            "name is compared without accents and capitals, and any name that the person goes by counts. So many such looks "
            "on one day make an alert: {threshold}. Many people share a surname: most of these end as false alarms.",
            1,
            1,
            5,
        ),
        Rule(
            "same_address",
            "Address of a declared interest",
            "A user opened, or tried to open, a record at an address that they have declared an interest in. (The hub does not "
            "hold users’ own addresses, so a declaration is all that there is to compare with.) So many looks on one "
            "day make an alert: {threshold}. What a refused look was aimed at is not shown.",
            1,
            1,
            3,
        ),
        Rule(
            "declared_interest",
            "Declared interest",
            "A user opened, or tried to open, a person whom they have declared an interest in, by name or by surname, or a "
            "record that such a person is in. Looks made before the declaration, on its day or the day before, count too. "
            "So many looks on one day make an alert: {threshold}. What a refused look was aimed at is not shown.",
            1,
            1,
            3,
        ),
        Rule(
            "high_profile",
            "Restricted record",
            "A user opened a case or incident that is restricted to named people (high-profile people, staff as subjects, "
            "conflicts of interest) and was not on its team then: only emergency access allows that, and one look is enough. "
            "Or they tried {threshold} times or more on one day to open restricted records of their own organisation and were "
            "refused. What a refused attempt was aimed at is not shown, and attempts at other organisations’ records are not "
            "counted, so that nobody learns what those hold.",
            3,
            1,
            10,
        ),
        Rule(
            "no_relation",
            "No relation to the case",
            "On one day a user opened {threshold} or more different cases or incidents that were open to them only because "
            "their organisation opens its records to all its teams: no team of theirs leads the record, they are not its lead "
            "officer nor on its team, it is not shared with them or a team of theirs, and neither they nor a team of theirs "
            "ever added to it.",
            5,
            2,
            20,
        ),
        Rule(
            "out_of_hours",
            "Out of hours",
            "Between 22:00 and 06:00 in London a user opened cases, incidents or people {threshold} times or more in one night. "
            "Left out are users who work at night: at least one in four of their looks in the four weeks before, of twenty or "
            "more, was at night too.",
            10,
            3,
            50,
        ),
        Rule(
            "bulk",
            "Many records in an hour",
            "A user opened more than {threshold} different cases, incidents and people within one hour, wherever the hour "
            "begins. Lists and searches do not count.",
            40,
            10,
            200,
        ),
        Rule(
            "leaver",
            "Looks before leaving",
            "In the fourteen days before their account was closed, or before the last day in all of their teams, a user opened "
            "{threshold} or more different cases, incidents and people. The alert counts for the day of leaving.",
            25,
            5,
            100,
        ),
        Rule(
            "denied_series",
            "Series of refusals",
            "The hub refused a user {threshold} times or more within fifteen minutes: what they asked for was hidden from "
            "them, did not exist, or was beyond their role.",
            10,
            3,
            30,
        ),
    )
}
