"""The HUB_… variables of the started processes: given ones as they are, the rest from what was made."""

from collections.abc import Mapping
from pathlib import Path

from hub.config import APP, CLI, KEEPERS, LOADER, WORKER, DatabaseRole
from hub.launcher.objectstore import S3Address
from hub.launcher.postgres import PostgresAddress
from hub.launcher.secrets import Secrets

OWNER_URL = "HUB_OWNER_DATABASE_URL"
SEQUENCER_URL = "HUB_SEQUENCER_DATABASE_URL"
LOG_KEY = "HUB_LOG_KEY_FILE"
WITNESSES = "HUB_LOG_WITNESSES"
DATABASE_NAMES = (APP.variable, OWNER_URL, WORKER.variable, CLI.variable, LOADER.variable)
ARCHIVE_BUCKET = "HUB_ARCHIVE_BUCKET"
ARCHIVE_KEYS = ("HUB_ARCHIVE_ACCESS_KEY", "HUB_ARCHIVE_SECRET_KEY")
_ARCHIVE_PARTS = ("ENDPOINT", "REGION", "ACCESS_KEY", "SECRET_KEY")
# glibc else raises its threshold to the size of an upload's buffers, keeps them in its arenas, and gives nothing back
MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(1024 * 1024)}
STORE_NAMES = ("HUB_S3_ENDPOINT", "HUB_S3_BUCKET", "HUB_S3_ACCESS_KEY", "HUB_S3_SECRET_KEY")


def given(names: tuple[str, ...], environment: Mapping[str, str]) -> bool:
    """True when the person names a server of their own; some but not all of its variables is a mistake."""
    present = [name for name in names if environment.get(name)]
    missing = [name for name in names if name not in present]
    if present and missing:
        raise SystemExit(
            f"{', '.join(present)} given without {', '.join(missing)}: give all of them, or none."
        )
    return bool(present)


def for_database(address: PostgresAddress) -> dict[str, str]:
    return {
        APP.variable: address.app_url,
        WORKER.variable: address.worker_url,
        CLI.variable: address.cli_url,
        LOADER.variable: address.loader_url,
        OWNER_URL: address.owner_url,
        SEQUENCER_URL: address.sequencer_url,
    }


def for_store(address: S3Address) -> dict[str, str]:
    return {
        "HUB_S3_ENDPOINT": address.endpoint,
        "HUB_S3_BUCKET": address.bucket,
        "HUB_S3_ACCESS_KEY": address.access_key,
        "HUB_S3_SECRET_KEY": address.secret_key,
        "HUB_S3_REGION": address.region,
    }


def for_archive(address: S3Address, environment: Mapping[str, str], *, demo: bool) -> dict[str, str]:
    """The bucket of the log's copy in our own store, unless another is given. A demonstration's is soon deletable."""
    if environment.get(ARCHIVE_BUCKET):
        return {}
    made = {
        ARCHIVE_BUCKET: address.bucket,
        "HUB_ARCHIVE_ENDPOINT": address.endpoint,
        "HUB_ARCHIVE_REGION": address.region,
        "HUB_ARCHIVE_ACCESS_KEY": address.access_key,
        "HUB_ARCHIVE_SECRET_KEY": address.secret_key,
    }
    if demo and not environment.get("HUB_ARCHIVE_DAYS"):
        made["HUB_ARCHIVE_DAYS"] = "1"
    return made


def for_secrets(var: Path, environment: Mapping[str, str], *, demo: bool) -> dict[str, str]:
    """The session key, the log's key and a demonstration's root key: made once under var, unless they are given."""
    secrets = Secrets(var)
    made: dict[str, str] = {}
    if not environment.get("HUB_SECRET_KEY"):
        made["HUB_SECRET_KEY"] = secrets.token("secret_key")
    # a key file serves demonstrations only: elsewhere the start says which keepers there are
    if demo and not any(environment.get(name) for name in KEEPERS):
        made["HUB_ROOT_KEY_FILE"] = str(secrets.key_file("root_key"))
    if not environment.get(LOG_KEY):
        made[LOG_KEY] = str(secrets.key_file("log_key"))
    return made


def for_service(environment: Mapping[str, str], role: DatabaseRole) -> dict[str, str]:
    """For a process that signs in as this role: as `HUB_DATABASE_URL` its own address, and none of another role's.

    It must be able neither to change the schema nor to sign the log, nor reach its copy.
    """
    kept_back = (*DATABASE_NAMES, SEQUENCER_URL, LOG_KEY, *ARCHIVE_KEYS)
    kept = {name: value for name, value in environment.items() if name not in kept_back}
    return {**MEMORY, **kept, APP.variable: environment[role.variable]}


def for_sequencer(environment: Mapping[str, str]) -> dict[str, str]:
    """For the process that signs the log and copies it: no key of the hub, no address but its own and its bucket's."""
    told = ("HUB_VAR", SEQUENCER_URL, LOG_KEY, "HUB_LOG_ORIGIN", "HUB_LOG_WITNESSES")
    kept = {
        name: value
        for name, value in environment.items()
        if name in told or not name.startswith("HUB_") or name.startswith("HUB_ARCHIVE_")
    }
    if environment.get(ARCHIVE_BUCKET):
        for part in _ARCHIVE_PARTS:
            value = environment.get(f"HUB_ARCHIVE_{part}") or environment.get(f"HUB_S3_{part}")
            if value:
                kept[f"HUB_ARCHIVE_{part}"] = value
    return kept
