"""What people do on the hub's pages, by the words that they read there. Each step looks at the page it came to."""

from __future__ import annotations

import re
from datetime import date

from playwright.sync_api import FilePayload, Locator

from tests.fixtures.browser import Visitor
from tests.journeys.conftest import POSTCODE
from tests.journeys.files import Paper


def leave_by(visitor: Visitor, way: Locator) -> None:
    """Clicks and waits until the next page is there."""
    with visitor.page.expect_navigation():
        way.click()


def press(visitor: Visitor, name: str) -> None:
    leave_by(visitor, visitor.page.get_by_role("button", name=name, exact=True))


def follow(visitor: Visitor, name: str) -> None:
    """The first link of that name (or of that name and what it is about) in the page's own part, drawn as a button or not."""
    exactly = re.compile(rf"^\s*{re.escape(name)}\s*(:.*)?$")
    leave_by(visitor, visitor.page.locator("main a").filter(has_text=exactly).first)


def go_to(visitor: Visitor, place: str) -> None:
    """By the main navigation; a number may stand behind the word."""
    links = visitor.page.get_by_role("navigation", name="Main").get_by_role("link")
    leave_by(visitor, links.filter(has_text=re.compile(rf"^\s*{re.escape(place)}")))


def choose(visitor: Visitor, field: str, value: str) -> None:
    """The radio or box of this field with this value."""
    visitor.page.locator(f'input[name="{field}"][value="{value}"]').check()


def open_tab(visitor: Visitor, case: str, name: str) -> None:
    visitor.go(case)
    tabs = visitor.page.get_by_role("navigation", name="Parts of this case")
    leave_by(visitor, tabs.get_by_role("link", name=name, exact=True))


def sign_in(visitor: Visitor, name: str) -> None:
    """One click on the person."""
    visitor.go("/")
    visitor.look("Sign in")
    leave_by(visitor, visitor.page.get_by_role("button", name=re.compile(f"^{re.escape(name)}")))
    visitor.see(name)


def log_incident(visitor: Visitor, *, what: str, month: str, year: str) -> str:
    """From My work: in that month, at the park, told by nobody who gave a name. The incident's path."""
    follow(visitor, "Log an incident")
    visitor.look("Log an incident")
    page = visitor.page
    page.get_by_label("What kind of thing happened").select_option(label="Off-road motorbike")
    page.get_by_label("What happened", exact=True).fill(what)
    when = page.get_by_role("group", name="When it happened, or when it started")
    when.get_by_label("Month").fill(month)
    when.get_by_label("Year").fill(year)
    page.get_by_label("Kind of place").select_option(label="Park or open space")
    page.get_by_label("Place, as people call it").fill("Bandstand, Alder Park")
    page.get_by_label("Ward (optional)").fill("Alderside")
    page.get_by_label("Postcode (optional)").fill(POSTCODE.lower())
    page.get_by_label("Anonymous").check()
    press(visitor, "Log incident")
    page.wait_for_url("**/logged")
    visitor.look("Incident is logged")
    return page.url.removeprefix(visitor.address).removesuffix("/logged")


def open_case(visitor: Visitor, title: str, summary: str) -> str:
    """From the page of an incident; the case's path."""
    follow(visitor, "Open a case from this incident")
    visitor.look("Open a case")
    page = visitor.page
    page.get_by_label("Type of case").select_option(label="Off-road and nuisance vehicles")
    page.get_by_label("Title", exact=True).fill(title)
    page.get_by_label("What it is about (optional)").fill(summary)
    page.get_by_label("Priority").select_option(label="Urgent")
    page.get_by_label("How it came to you").select_option(label="A member of the public")
    press(visitor, "Open the case")
    page.wait_for_url(re.compile(r"/cases/[0-9a-f-]{36}$"))
    visitor.look("Case")
    return page.url.removeprefix(visitor.address)


def reference_of(visitor: Visitor, case: str) -> str:
    visitor.go(case)
    return visitor.page.locator(".hub-record-bar .hub-reference").inner_text().strip()


def add_person(visitor: Visitor, case: str, *, first: str, family: str, role: str, born: str = "") -> None:
    open_tab(visitor, case, "People and places")
    visitor.look("People and places")
    follow(visitor, "Add a person")
    visitor.look("Add a person")
    page = visitor.page
    page.get_by_label("First and middle names").fill(first)
    page.get_by_label("Family name").fill(family)
    page.get_by_role("group", name="Date of birth").get_by_label("Year").fill(born)
    page.get_by_label("Role in this record").select_option(label=role)
    press(visitor, "Continue")
    visitor.see("The person was added", f"{first} {family}", role)


def add_place(visitor: Visitor, case: str, place: str) -> None:
    open_tab(visitor, case, "People and places")
    follow(visitor, "Add a place")
    visitor.look("Add a place")
    visitor.page.get_by_label("Place, as people call it").fill(place)
    press(visitor, "Add place")
    visitor.see("The place was added", place)


def add_vehicle(visitor: Visitor, case: str, mark: str) -> None:
    open_tab(visitor, case, "People and places")
    follow(visitor, "Add a vehicle")
    visitor.look("Add a vehicle")
    visitor.page.get_by_label("Kind of vehicle").select_option(label="Off-road motorcycle")
    visitor.page.get_by_label("Registration (optional)").fill(mark)
    press(visitor, "Add vehicle")
    visitor.see("The vehicle was added")


def add_entry(visitor: Visitor, case: str, text: str, *, kind: str = "Visit") -> None:
    """On the Log tab, on the spot."""
    open_tab(visitor, case, "Log")
    write_entry(visitor, text, kind=kind)
    visitor.see("The entry is in the log")
    visitor.look("Log")


def write_entry(visitor: Visitor, text: str, *, kind: str) -> None:
    visitor.page.get_by_label("What happened", exact=True).fill(text)
    visitor.page.get_by_label("Kind of entry").first.select_option(label=kind)
    card = visitor.page.locator("section", has=visitor.page.locator("#new-entry"))
    leave_by(visitor, card.get_by_role("button", name="Add to the log"))


def states_offered(visitor: Visitor, case: str) -> list[str]:
    visitor.go(f"{case}/status")
    visitor.look("Change the status")
    return [label.strip() for label in visitor.page.locator('input[name="to"] + label').all_inner_texts()]


def move(visitor: Visitor, case: str, to: str, why: str) -> None:
    visitor.go(f"{case}/status")
    visitor.page.get_by_label(to, exact=True).check()
    visitor.page.get_by_label("Why", exact=True).fill(why)
    press(visitor, "Change the status")
    visitor.see(f"The status is now: {to.lower()}")


def forge(visitor: Visitor, field: str, value: str) -> None:
    """The field (or its first choice) sends another value than the page offers."""
    first = visitor.page.locator(f'input[name="{field}"]').first
    first.evaluate("(input, value) => { input.value = value; input.checked = true }", value)


def attach(visitor: Visitor, case: str, paper: Paper) -> None:
    open_tab(visitor, case, "Files")
    visitor.page.get_by_label("What kind of file is it?").select_option(label=paper.kind)
    visitor.page.get_by_label("Files", exact=True).set_input_files(
        FilePayload(name=paper.name, mimeType="application/octet-stream", buffer=paper.content)
    )
    press(visitor, "Attach")
    visitor.page.get_by_text("The file is attached").wait_for()
    visitor.look("Files")
    visitor.see(paper.name)


def start_share(visitor: Visitor, case: str) -> None:
    open_tab(visitor, case, "Sharing")
    visitor.look("Sharing")
    visitor.go(f"{case}/share")
    visitor.look("Share: with whom")


def prepare_share(
    visitor: Visitor,
    case: str,
    to: str,
    *,
    purpose: str,
    sections: set[str],
    why: str,
    until: date,
    adding: bool,
) -> None:
    """With whom, what and why: up to the sentence that says what will happen."""
    start_share(visitor, case)
    visitor.page.get_by_label(to, exact=True).check()
    press(visitor, "Continue")
    visitor.look("Share: what and why")
    page = visitor.page
    choose_purpose(visitor, purpose)
    page.get_by_label("Why is it necessary?").fill(why)
    for box in page.locator('input[type="checkbox"][name="sections"]').all():
        box.set_checked(box.get_attribute("value") in sections)
    for part in ("day", "month", "year"):
        page.locator(f'input[name="ends-{part}"]').fill(str(getattr(until, part)))
    page.get_by_label("They may add to these parts").set_checked(adding)
    press(visitor, "Continue")
    visitor.look("Share: check")
    visitor.see("You can change or end it at any time", why)


def choose_purpose(visitor: Visitor, purpose: str) -> None:
    """Under the first agreement that permits it."""
    visitor.page.locator(f'input[name="purpose"][value^="{purpose}:"]').first.check()


def send_share(visitor: Visitor) -> None:
    press(visitor, "Share now")
    visitor.see("Shared. They can see it once they have accepted")


def accept(visitor: Visitor, reference: str) -> None:
    go_to(visitor, "Shared with us")
    visitor.see("Waiting for your answer", reference)
    visitor.look("Shared with us")
    press(visitor, f"Accept {reference}")
    visitor.see(f"{reference}: accepted")


def search(visitor: Visitor, terms: str) -> None:
    visitor.page.get_by_label("Search people, places, cases and incidents").fill(terms)
    leave_by(visitor, visitor.page.get_by_role("search").first.get_by_role("button", name="Search"))
    visitor.look("Search")


def state_purpose(visitor: Visitor, words: str) -> None:
    """The first question of the auditor's desk."""
    go_to(visitor, "Audit")
    visitor.look("Purpose of the log")
    visitor.page.get_by_label(words).check()
    press(visitor, "Go to the log")
    visitor.see("You use the log for this purpose", words)
    visitor.look("Log of events")


def filter_log(visitor: Visitor, **chosen: str) -> list[str]:
    """The log under these filters alone: the lines that are left."""
    visitor.go("/audit")
    if not visitor.page.locator(".hub-filters__fold").evaluate("(fold) => fold.open"):
        visitor.page.locator(".hub-filters__summary").click()
    for name, value in chosen.items():
        field = visitor.page.locator(f'.hub-filters__form [name="{name.rstrip("_")}"]')
        if field.evaluate("(field) => field.tagName") == "SELECT":
            field.select_option(label=value)
        else:
            field.fill(value)
    press(visitor, "Apply filters")
    visitor.look("Log of events, filtered")
    return [" ".join(line.split()) for line in visitor.page.locator("tbody tr").all_inner_texts()]


def read_trail(visitor: Visitor, reference: str) -> list[str]:
    """Every event of a record, over all pages of its trail, oldest first."""
    visitor.go(f"/audit/records/{reference}")
    visitor.look("Trail")
    lines: list[str] = []
    while True:
        lines += [" ".join(line.split()) for line in visitor.page.locator("tbody tr").all_inner_texts()]
        following = visitor.page.get_by_role("link", name=re.compile("^→?.*Next page of events"))
        if following.count() == 0:
            return lines
        leave_by(visitor, following)
