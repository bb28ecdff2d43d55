"""The vendored styles and scripts: complete, without GOV.UK's font and crest, pointing at files that are there."""

import re

import pytest

from hub.launcher.assets import VENDOR, without_foreign_marks

SHEETS = (
    "govuk/govuk-frontend.min.css",
    "moj/moj-frontend.min.css",
    "autocomplete/accessible-autocomplete.min.css",
)
SCRIPTS = (
    "govuk/govuk-frontend.min.js",
    "moj/moj-frontend.min.js",
    "autocomplete/accessible-autocomplete.min.js",
)


def test_font_and_crest_are_taken_out_and_pictures_found_beside_the_sheet() -> None:
    css = (
        '@font-face{font-family:GDS Transport;src:url(/assets/fonts/light.woff2) format("woff2")}'
        'a{font-family:GDS Transport,arial,sans-serif}b{background:url("/assets/images/govuk-crest.svg")}'
        "i{background:url(/assets/images/icon-document.svg)}u{background:url(data:image/svg+xml;base64,AAAA)}"
    )
    assert without_foreign_marks(css) == (
        "a{font-family:arial,helvetica,sans-serif}b{background:none}"
        "i{background:url(images/icon-document.svg)}u{background:url(data:image/svg+xml;base64,AAAA)}"
    )


@pytest.mark.parametrize("name", SHEETS)
def test_every_address_in_a_sheet_is_a_file_beside_it(name: str) -> None:
    sheet = VENDOR / name
    css = sheet.read_text(encoding="utf-8")
    assert len(css) > 2000
    for address in re.findall(r"url\([\"']?(?!data:)([^)\"']+)", css):
        assert (sheet.parent / address).is_file(), address
    assert "GDS Transport" not in css
    assert "crest.svg" not in css
    assert "sourceMappingURL" not in css


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_script_is_there_and_names_no_map(name: str) -> None:
    script = (VENDOR / name).read_text(encoding="utf-8")
    assert len(script) > 10000
    assert "sourceMappingURL" not in script
