"""Levels of vetting: what a user may hold, and what a partnership may ask of everybody."""

from __future__ import annotations

import enum


class Vetting(enum.StrEnum):
    """How somebody was looked into before they may see what is held here: what employers of the partnership use."""

    NONE = "none"
    DBS_BASIC = "dbs_basic"
    DBS_STANDARD = "dbs_standard"
    DBS_ENHANCED = "dbs_enhanced"
    BPSS = "bpss"
    CTC = "ctc"
    SC = "sc"
    NPPV2_ABBREVIATED = "nppv2_abbreviated"
    NPPV2_FULL = "nppv2_full"
    NPPV3 = "nppv3"
    RECRUITMENT = "recruitment"
    MANAGEMENT = "management"


# NPPV: non-police personnel vetting, as the forces abbreviate it
VETTING_LABELS = {
    Vetting.NONE: "Not vetted",
    Vetting.DBS_BASIC: "DBS check, basic",
    Vetting.DBS_STANDARD: "DBS check, standard",
    Vetting.DBS_ENHANCED: "DBS check, enhanced",
    Vetting.BPSS: "Baseline personnel security standard (BPSS)",
    Vetting.CTC: "Counter-terrorist check (CTC)",
    Vetting.SC: "Security check (SC)",
    Vetting.NPPV2_ABBREVIATED: "NPPV level 2, abbreviated",
    Vetting.NPPV2_FULL: "NPPV level 2, full",
    Vetting.NPPV3: "NPPV level 3",
    Vetting.RECRUITMENT: "Police recruitment vetting (RV)",
    Vetting.MANAGEMENT: "Police management vetting (MV)",
}
