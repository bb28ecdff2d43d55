"""Code lists of organisations (HANDBOOK 2.2) and of how somebody was authenticated."""

from __future__ import annotations

import enum


class OrganisationKind(enum.StrEnum):
    COUNCIL_UNITARY = "council_unitary"
    COUNCIL_DISTRICT = "council_district"
    COUNCIL_COUNTY = "council_county"
    COUNCIL_PARISH = "council_parish"
    POLICE_FORCE = "police_force"
    POLICE_OTHER = "police_other"
    LOCAL_POLICING_BODY = "local_policing_body"
    YOUTH_JUSTICE_SERVICE = "youth_justice_service"
    PROBATION = "probation"
    PRISON = "prison"
    FIRE = "fire"
    ICB = "icb"
    NHS_PROVIDER = "nhs_provider"
    PRIMARY_CARE = "primary_care"
    TREATMENT_PROVIDER = "treatment_provider"
    REGISTERED_PROVIDER = "registered_provider"
    PRIVATE_LANDLORD = "private_landlord"
    DWP = "dwp"
    SCHOOL = "school"
    COLLEGE = "college"
    CHILDRENS_SERVICES = "childrens_services"
    ADULT_SERVICES = "adult_services"
    VCSE = "vcse"
    VICTIM_SERVICE = "victim_service"
    BUSINESS = "business"
    CPS_COURTS = "cps_courts"
    HOME_OFFICE_IMMIGRATION = "home_office_immigration"
    INSPECTORATE_AUDITOR = "inspectorate_auditor"


ORGANISATION_KIND_LABELS = {
    OrganisationKind.COUNCIL_UNITARY: "Council (unitary, metropolitan, London borough)",
    OrganisationKind.COUNCIL_DISTRICT: "District council",
    OrganisationKind.COUNCIL_COUNTY: "County council",
    OrganisationKind.COUNCIL_PARISH: "Town or parish council",
    OrganisationKind.POLICE_FORCE: "Police force",
    OrganisationKind.POLICE_OTHER: "British Transport Police, military and other forces",
    OrganisationKind.LOCAL_POLICING_BODY: "Police and crime commissioner or successor",
    OrganisationKind.YOUTH_JUSTICE_SERVICE: "Youth justice service (YOT)",
    OrganisationKind.PROBATION: "Probation Service",
    OrganisationKind.PRISON: "Prison or young offender institution",
    OrganisationKind.FIRE: "Fire and rescue service",
    OrganisationKind.ICB: "Integrated care board",
    OrganisationKind.NHS_PROVIDER: "NHS trust or foundation trust",
    OrganisationKind.PRIMARY_CARE: "GP practice, pharmacy",
    OrganisationKind.TREATMENT_PROVIDER: "Drug and alcohol treatment service",
    OrganisationKind.REGISTERED_PROVIDER: "Housing association or council landlord",
    OrganisationKind.PRIVATE_LANDLORD: "Landlord or letting agent",
    OrganisationKind.DWP: "Department for Work and Pensions / Jobcentre Plus",
    OrganisationKind.SCHOOL: "School, academy, pupil referral unit",
    OrganisationKind.COLLEGE: "College",
    OrganisationKind.CHILDRENS_SERVICES: "Children's social care",
    OrganisationKind.ADULT_SERVICES: "Adult social care",
    OrganisationKind.VCSE: "Voluntary, community, faith organisation",
    OrganisationKind.VICTIM_SERVICE: "Victim support service",
    OrganisationKind.BUSINESS: "Business improvement district, retailer group, Pubwatch",
    OrganisationKind.CPS_COURTS: "CPS, HM Courts and Tribunals Service",
    OrganisationKind.HOME_OFFICE_IMMIGRATION: "Home Office Immigration Enforcement",
    OrganisationKind.INSPECTORATE_AUDITOR: "Internal audit, external auditor, inspectorate",
}

POLICE_KINDS = frozenset({OrganisationKind.POLICE_FORCE, OrganisationKind.POLICE_OTHER})


class Method(enum.StrEnum):
    """How a session's user was authenticated."""

    PASSWORD = "password"
    PASSWORD_AND_CODE = "password_and_code"
    PASSKEY = "passkey"
    PROVIDER = "provider"
    DEMO = "demo"
    ENROLMENT = "enrolment"
    OPERATOR = "operator"


class CeremonyKind(enum.StrEnum):
    """What a proof that has begun is to end in."""

    SECOND_STEP = "second_step"  # the password was right, the code is to come
    SET_UP = "set_up"  # the password was right, and there is no second step yet
    NEW_CODE = "new_code"  # somebody signed in sets up an authenticator app
    PASSKEY_SIGN_IN = "passkey_sign_in"
    PASSKEY_ADD = "passkey_add"
    PASSKEY_CONFIRM = "passkey_confirm"
    PROVIDER_SIGN_IN = "provider_sign_in"
    PROVIDER_LINK = "provider_link"
    PROVIDER_CONFIRM = "provider_confirm"


class DisabledWhy(enum.StrEnum):
    """Why an account is closed. One that was suspended by the clock may be opened again by its SPOC."""

    LEFT = "left"
    NOT_ATTESTED = "not_attested"
    DORMANT = "dormant"
    DIRECTORY = "directory"
    ENDED = "ended"


DISABLED_LABELS = {
    DisabledWhy.LEFT: "Closed by an administrator",
    DisabledWhy.NOT_ATTESTED: "Suspended: nobody confirmed that access is still needed",
    DisabledWhy.DORMANT: "Suspended: not used for a long time",
    DisabledWhy.DIRECTORY: "Closed by the organisation’s own directory",
    DisabledWhy.ENDED: "Closed: the last day with access has passed",
}
