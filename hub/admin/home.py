"""What an administrator can do, by what it is about: the entries of the administration's first page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hub.access.actor import Actor
from hub.role_changes.queries import count_waiting


@dataclass(frozen=True)
class Entry:
    """A page of administrators: its endpoint, what it is called there, what it is for in a sentence, and, where that is
    counted, how many things wait there for whoever looks."""

    endpoint: str
    label: str
    text: str
    count: Callable[[Actor], int] | None = None


@dataclass(frozen=True)
class Section:
    title: str
    entries: tuple[Entry, ...]


SECTIONS = (
    Section(
        "People",
        (
            Entry("admin.users", "Users", "Who may sign in, with what roles. Invite, reset, close."),
            Entry(
                "teams.index", "Teams", "Who wears the hat of each team, colleagues of other employers too."
            ),
            Entry("attestations.home", "Who still needs access", "Confirm it once a month, on one page."),
            Entry(
                "role_changes.index",
                "Role changes",
                "Roles that one administrator asks for and another decides.",
                count_waiting,
            ),
            Entry("admin.roles", "What each role may do", "The whole table of roles."),
        ),
    ),
    Section(
        "Signing in",
        (
            Entry(
                "provider_admin.home",
                "Sign-in service",
                "Your organisation’s own sign-in, instead of passwords.",
            ),
            Entry("directories.index", "Directory", "Accounts that follow your own directory by themselves."),
            Entry(
                "passkey_rule.show",
                "Passkeys",
                "Whether administrators and auditors need a passkey of one device.",
            ),
        ),
    ),
    Section(
        "Rules and assurance",
        (
            Entry(
                "assurances.own",
                "Assurance",
                "What your organisation answers for, and what partners accepted.",
            ),
            Entry("settings.index", "Settings", "What the partnership has set, and from which day it holds."),
            Entry(
                "code_lists.index", "Code lists", "What can be chosen where. Keep your own list of job roles."
            ),
            Entry("file_rules.show", "Files", "Which types and sizes the partnership takes."),
            Entry("quarantine.index", "Malware", "Files that were found infected and are shut away."),
        ),
    ),
    Section(
        "The service",
        (
            Entry(
                "configuration.show",
                "How the hub is set up",
                "What was chosen, and how it does now. No secrets.",
            ),
        ),
    ),
)


def counts_of(actor: Actor) -> dict[str, int]:
    """How many things wait at each entry that counts them, by its endpoint: one query an entry, however many wait."""
    entries = (entry for section in SECTIONS for entry in section.entries)
    return {entry.endpoint: entry.count(actor) for entry in entries if entry.count is not None}
