"""What the hub is made of, as CycloneDX JSON: the locked Python libraries and npm packages, each with its hash.

    python .ci/sbom.py FILE

Made from the lock files alone: no network, and nothing of this machine in it.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SCHEMA = "1.6"


def document() -> dict[str, Any]:
    made = subprocess.run(
        [sys.executable, "-m", "cyclonedx_py", "requirements", "--output-reproducible", "--short-PURLs", "--sv", SCHEMA,
         "--pyproject", "pyproject.toml", "requirements/run.txt"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(made.stdout)
    for component in found["components"]:
        component["bom-ref"] = component.get("purl", component["bom-ref"])
        # where the tool looked for them is this machine's own affair; the hashes say what they are
        references = component.pop("externalReferences", [])
        hashes = [one for reference in references for one in reference.get("hashes", [])]
        if hashes:
            component["properties"] = [
                {"name": "hub:file:sha256", "value": value}
                for value in sorted({one["content"] for one in hashes})
            ]
    found["components"] += npm()
    known = [component["bom-ref"] for component in found["components"]]
    root = found["metadata"]["component"]["bom-ref"]
    found["dependencies"] = [
        {"ref": root, "dependsOn": sorted(known)},
        *({"ref": one} for one in sorted(known)),
    ]
    return found


def npm() -> list[dict[str, Any]]:
    locked = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    components = []
    for path, one in sorted(locked.items()):
        if not path or one.get("dev"):
            continue
        name, version = path.rpartition("node_modules/")[2], one["version"]
        purl = f"pkg:npm/{name.replace('@', '%40')}@{version}"
        kind, _, digest = one["integrity"].partition("-")
        components.append(
            {
                "type": "library",
                "bom-ref": purl,
                "name": name,
                "version": version,
                "purl": purl,
                "hashes": [
                    {"alg": kind.upper().replace("SHA", "SHA-"), "content": base64.b64decode(digest).hex()}
                ],
            }
        )
    return components


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    whole = document()
    target.write_text(json.dumps(whole, indent=1, sort_keys=True) + "\n")
    print(f"{len(whole['components'])} components in {target}")
