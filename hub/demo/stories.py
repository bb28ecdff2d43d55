"""What happens in the invented partnership: for each kind of case its incidents, people, entries and usual shares. Data only.

In texts, {place} is a place, {shop} a shop, {time} a time of day. Names of people never stand in a text: the record links them.
"""

from __future__ import annotations

from dataclasses import dataclass

from hub.access.vocabulary import Marking, Purpose, Section
from hub.cases.vocabulary import CaseKind, RiskLevel
from hub.chronology.vocabulary import EntryKind, EntryNature
from hub.incidents.vocabulary import IncidentKind
from hub.people.vocabulary import InvolvementRole as R


@dataclass(frozen=True)
class Story:
    """One kind of case. `people`: (role, youngest, oldest); `entries`: (kind, nature, text)."""

    kind: CaseKind
    title: str
    count: int
    incidents: tuple[tuple[IncidentKind, str], ...]
    per_case: tuple[int, int]
    people: tuple[tuple[R, int, int], ...]
    entries: tuple[tuple[EntryKind, EntryNature, str], ...]
    risks: tuple[RiskLevel, ...]
    share_with: tuple[tuple[str, Purpose, tuple[Section, ...]], ...]
    marking: Marking = Marking.OFFICIAL
    open_space: bool = False
    vehicle: bool = False
    led_by_police: bool = False


F, A = EntryNature.FACT, EntryNature.ASSESSMENT
E = EntryKind
OS = Marking.OFFICIAL_SENSITIVE
_WORKING = (Section.SUMMARY, Section.PEOPLE, Section.CHRONOLOGY)
_WITH_FILES = (*_WORKING, Section.FILES, Section.ENFORCEMENT)
_ALL_OF_VICTIM = (Section.SUMMARY, Section.VICTIM, Section.CHRONOLOGY, Section.SAFEGUARDING)

# the police team, the youth justice service and the other partners are filled in for the case's area
POLICE, YOUTH, PROBATION, HOMES, VICTIMS, OUTREACH, COUNCIL = (
    "police",
    "youth",
    "TPB",
    "HBH",
    "TVC",
    "LNT",
    "council",
)

STORIES: tuple[Story, ...] = (
    Story(
        CaseKind.ASB,
        "Neighbour dispute, {ward}",
        60,
        (
            (
                IncidentKind.NOISE,
                "Loud music and shouting from {place} from about {time} until the early hours. The person reporting could not sleep and has work at 6am.",
            ),
            (
                IncidentKind.NEIGHBOUR_DISPUTE,
                "Argument over the shared path at {place}. Words were exchanged, nobody was hurt. Both sides say the other started it.",
            ),
            (
                IncidentKind.NOISE,
                "Banging on the party wall at {place} at {time}. Third report this month from the same household.",
            ),
            (
                IncidentKind.ROWDY_BEHAVIOUR,
                "Group outside {place} at {time}, drinking and shouting. Moved on when spoken to.",
            ),
            (
                IncidentKind.CRIMINAL_DAMAGE,
                "Fence panel kicked in at {place} overnight. The person reporting believes it is connected with earlier complaints.",
            ),
        ),
        (2, 5),
        ((R.COMPLAINANT, 30, 79), (R.SUBJECT, 20, 60)),
        (
            (
                E.PHONE_CALL,
                F,
                "Called the person reporting. They keep a diary of the noise and will send it at the end of the week.",
            ),
            (
                E.VISIT,
                F,
                "Visited {place}. Explained the complaint without saying who made it. The resident said the music was for a birthday and would not happen again.",
            ),
            (E.CONTACT_ATTEMPT, F, "No answer at the door. Card left."),
            (
                E.DECISION,
                A,
                "Gather information: three diary sheets, two officer visits. Assess: medium harm, one complainant, older and living alone. Powers: warning first. Options: mediation offered to both. Action: warning letter, review in 28 days.",
            ),
            (
                E.PARTNER_UPDATE,
                F,
                "The landlord confirms that it has written to the tenant about the terms of the tenancy.",
            ),
            (
                E.VICTIM_UPDATE,
                F,
                "Told the person reporting what we have done so far and when they will hear from us again.",
            ),
        ),
        (RiskLevel.STANDARD, RiskLevel.STANDARD, RiskLevel.MEDIUM),
        ((POLICE, Purpose.PREVENT_CRIME, _WORKING), (HOMES, Purpose.TENANCY, (Section.SUMMARY,))),
    ),
    Story(
        CaseKind.OFF_ROAD,
        "Off-road motorbikes, {ward}",
        25,
        (
            (
                IncidentKind.OFF_ROAD_MOTORBIKE,
                "Two off-road bikes on {place} at {time}, riders with hoods up, no helmets. Rode at a dog walker, who jumped aside.",
            ),
            (
                IncidentKind.OFF_ROAD_MOTORBIKE,
                "Motorbike ridden up and down {place}. No plate. Rider about 14 or 15 years old.",
            ),
            (
                IncidentKind.OFF_ROAD_MOTORBIKE,
                "Bike heard then seen leaving {place} towards the railway line. Fuel bought at a petrol station nearby in a can.",
            ),
            (
                IncidentKind.CRIMINAL_DAMAGE,
                "Grass and a footpath cut up at {place}. Gate taken off its hinges to let bikes through.",
            ),
        ),
        (3, 7),
        ((R.SUBJECT, 13, 17), (R.PARENT_CARER, 34, 50), (R.WITNESS, 25, 70)),
        (
            (
                E.VISIT,
                F,
                "Spoke to the parent at home with the neighbourhood team. Explained section 59 and that the bike can be seized. The parent says that they did not know.",
            ),
            (
                E.EVIDENCE,
                F,
                "Photo of the bike received from a resident: red tank, no plate, frame number not readable.",
            ),
            (E.LEGAL, F, "Section 59 warning given to the rider and recorded against the vehicle."),
            (E.PARTNER_UPDATE, F, "Youth justice worker will offer a place on the motor project."),
            (
                E.DECISION,
                A,
                "Warning first, then seizure at the next report. The land owner is asked to repair the gate. Review when the school holidays end.",
            ),
        ),
        (RiskLevel.STANDARD, RiskLevel.MEDIUM, RiskLevel.HIGH),
        (
            (
                YOUTH,
                Purpose.SAFEGUARD_CHILD,
                (Section.SUMMARY, Section.PEOPLE, Section.CHRONOLOGY, Section.YOUTH_JUSTICE),
            ),
            (POLICE, Purpose.PREVENT_CRIME, _WITH_FILES),
        ),
        open_space=True,
        vehicle=True,
    ),
    Story(
        CaseKind.DOMESTIC_ABUSE,
        "Domestic abuse, {ward}",
        30,
        (
            (
                IncidentKind.DOMESTIC_ABUSE,
                "Call from a neighbour at {time}: shouting and a crash at {place}. Both people spoken to apart. No injury seen. Children were upstairs.",
            ),
            (
                IncidentKind.DOMESTIC_ABUSE,
                "The person reporting says that their ex-partner came to {place} and would not leave. Messages shown to officers.",
            ),
            (
                IncidentKind.DOMESTIC_ABUSE,
                "Third call to {place} in six months. The person reporting did not want to make a statement.",
            ),
        ),
        (2, 4),
        ((R.VICTIM, 21, 60), (R.SUSPECT, 21, 60), (R.CHILD_AT_RISK, 3, 15)),
        (
            (
                E.SAFEGUARDING,
                F,
                "Safety plan gone through with the victim: safe words, neighbour who can be called, phone charged and kept close.",
            ),
            (
                E.RISK_UPDATE,
                A,
                "DASH completed. Professional judgement: the pattern is getting worse, more frequent and with new threats.",
            ),
            (
                E.PARTNER_UPDATE,
                F,
                "IDVA has made contact and will call on weekday mornings only, which is safe.",
            ),
            (E.CONTACT_ATTEMPT, F, "Called at the agreed time, no reply. No message left, as agreed."),
            (
                E.SUPERVISOR_REVIEW,
                A,
                "History of the household considered, all three earlier calls read together. Referral to children's services confirmed sent.",
            ),
        ),
        (RiskLevel.MEDIUM, RiskLevel.HIGH, RiskLevel.VERY_HIGH),
        (
            (VICTIMS, Purpose.SUPPORT_VICTIM, _ALL_OF_VICTIM),
            (COUNCIL, Purpose.PROTECT_PUBLIC, (Section.SUMMARY, Section.RISK)),
        ),
        marking=OS,
        led_by_police=True,
    ),
    Story(
        CaseKind.MISSING,
        "Repeat missing episodes, {ward}",
        20,
        (
            (
                IncidentKind.MISSING_EPISODE,
                "Did not come home to {place} by {time}. Found the next morning at a friend's. Return home interview offered.",
            ),
            (
                IncidentKind.MISSING_EPISODE,
                "Left {place} after an argument. Seen near the station at {time} with older people. Came back alone.",
            ),
            (
                IncidentKind.MISSING_EPISODE,
                "Missing from {place} overnight for the third time in 90 days. Has a phone that the carer did not buy.",
            ),
        ),
        (3, 5),
        ((R.MISSING_PERSON, 12, 16), (R.PARENT_CARER, 33, 55)),
        (
            (
                E.SAFEGUARDING,
                F,
                "Return home interview done. Says that they were with friends and that nobody made them do anything. Has new trainers.",
            ),
            (
                E.RISK_UPDATE,
                A,
                "New clothes, a second phone and older company together point to exploitation. To be raised at the next VEMT meeting.",
            ),
            (E.PARTNER_UPDATE, F, "School reports eleven sessions missed this half term."),
            (
                E.MEETING_OUTCOME,
                F,
                "Agreed: one worker to keep contact, police to visit the address by the station, school to ring by 9:30am when absent.",
            ),
        ),
        (RiskLevel.MEDIUM, RiskLevel.HIGH),
        (
            (
                YOUTH,
                Purpose.SAFEGUARD_CHILD,
                (Section.SUMMARY, Section.PEOPLE, Section.CHRONOLOGY, Section.SAFEGUARDING),
            ),
            (COUNCIL, Purpose.SAFEGUARD_CHILD, (Section.SUMMARY, Section.PEOPLE, Section.CHRONOLOGY)),
        ),
        marking=OS,
        led_by_police=True,
    ),
    Story(
        CaseKind.RETAIL_BUSINESS_CRIME,
        "Shop theft, {ward}",
        35,
        (
            (
                IncidentKind.SHOP_THEFT,
                "Meat and washing powder taken from {shop} on {place} at {time}. Staff were threatened when they asked for it back.",
            ),
            (
                IncidentKind.SHOP_THEFT,
                "Two people filled a bag in {shop} and walked out. CCTV kept by the store.",
            ),
            (IncidentKind.SHOP_THEFT, "Same person as last week in {shop}. Left when recognised."),
        ),
        (3, 6),
        ((R.SUSPECT, 18, 45), (R.WITNESS, 20, 60)),
        (
            (
                E.EVIDENCE,
                F,
                "CCTV stills received from the store manager, exhibit reference kept with the originals.",
            ),
            (E.PARTNER_UPDATE, F, "Ban notice served by the store and a copy given to the radio scheme."),
            (
                E.CONTACT_MADE,
                F,
                "Spoken to in the street. Wants help with heroin use and accepted an appointment for Thursday.",
            ),
        ),
        (RiskLevel.STANDARD, RiskLevel.MEDIUM),
        ((POLICE, Purpose.PREVENT_CRIME, _WITH_FILES), (PROBATION, Purpose.MANAGE_OFFENDER, _WORKING)),
    ),
    Story(
        CaseKind.HATE,
        "Hate incidents, {ward}",
        20,
        (
            (
                IncidentKind.HATE_INCIDENT,
                "Abuse shouted at the family at {place} from a passing group at {time}. The family have stopped using the front garden.",
            ),
            (
                IncidentKind.HATE_INCIDENT,
                "Words written on the wall of {place}. Cleaned off the same day after a photo was taken.",
            ),
            (IncidentKind.CRIMINAL_DAMAGE, "Eggs thrown at the windows of {place} for the second evening."),
        ),
        (2, 4),
        ((R.VICTIM, 20, 65), (R.SUSPECT, 15, 40)),
        (
            (
                E.VISIT,
                F,
                "Visited with the neighbourhood constable. Camera doorbell and letterbox guard offered and accepted.",
            ),
            (
                E.VICTIM_UPDATE,
                F,
                "Told the family about the visit to the school and the extra patrols at the weekend.",
            ),
            (
                E.DECISION,
                A,
                "Recorded as a hate incident because the victim sees it so. Joint visit to the households opposite.",
            ),
        ),
        (RiskLevel.MEDIUM, RiskLevel.HIGH),
        (
            (POLICE, Purpose.PREVENT_CRIME, (*_WORKING, Section.VICTIM)),
            (VICTIMS, Purpose.SUPPORT_VICTIM, _ALL_OF_VICTIM),
        ),
        marking=OS,
    ),
    Story(
        CaseKind.YOUTH_PREVENTION,
        "Prevention and early support, {ward}",
        10,
        (
            (
                IncidentKind.ROWDY_BEHAVIOUR,
                "Group of about eight young people by {shop} at {time}, throwing stones at the bus shelter on {place}.",
            ),
            (
                IncidentKind.CRIMINAL_DAMAGE,
                "Bus shelter glass broken at {place}. Two of the group known to staff at the youth club.",
            ),
        ),
        (2, 3),
        ((R.SUBJECT, 12, 16), (R.PARENT_CARER, 32, 52)),
        (
            (
                E.VISIT,
                F,
                "Home visit with the parent. Agreed to boxing on Tuesdays and to a letter of apology to the bus company.",
            ),
            (E.PARTNER_UPDATE, F, "The youth club will keep a place until the end of term."),
        ),
        (RiskLevel.STANDARD,),
        (
            (
                YOUTH,
                Purpose.SAFEGUARD_CHILD,
                (Section.SUMMARY, Section.PEOPLE, Section.CHRONOLOGY, Section.YOUTH_JUSTICE),
            ),
        ),
    ),
)

SUMMARIES = {
    CaseKind.ASB: "Two households share a wall and a path. The complaint is mostly about noise late in the evening; mediation has been offered to both.",
    CaseKind.OFF_ROAD: "Riders cross open ground several times a week, some of them children. Aim: stop the riding, find the fuel and the lock-up, keep the young people out of court.",
    CaseKind.DOMESTIC_ABUSE: "Repeat calls to one household, children present. Aim: safety of the victim and the children; every agency reads the whole history before it acts.",
    CaseKind.MISSING: "A young person goes missing again and again. Aim: know where they go and with whom, one worker who keeps contact, a plan that the carer can use at night.",
    CaseKind.RETAIL_BUSINESS_CRIME: "The same few shops are hit by the same few people. Aim: evidence that stands, treatment offered, bans that staff can use.",
    CaseKind.HATE: "A household is targeted because of who they are. Aim: they feel safe at home and know what is being done.",
    CaseKind.YOUTH_PREVENTION: "A group of young people at risk of a first offence. Aim: something better to do, and a repair to what was broken.",
    CaseKind.BEGGING_STREET: "Seen begging or sleeping out in the town centre. Support is offered at every contact; enforcement only where support is refused and behaviour harms.",
}
