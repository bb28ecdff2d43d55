"""Settings: complete, refused with the name of what is missing, silent about secrets."""

from pathlib import Path

import pytest

from hub.config import CLI, LOADER, WORKER, DatabaseRole, Settings, bound_to_loopback

GIVEN = {
    "HUB_DATABASE_URL": "postgresql+psycopg://hub_app:word-of-app@127.0.0.1/hub",
    "HUB_S3_ENDPOINT": "http://127.0.0.1:1",
    "HUB_S3_BUCKET": "files",
    "HUB_S3_ACCESS_KEY": "word-of-access",
    "HUB_S3_SECRET_KEY": "word-of-store",
    "HUB_SECRET_KEY": "word-of-session-" + "x" * 32,
    "HUB_DEMO": "1",
    "HUB_ROOT_KEY_FILE": "/nowhere/root_key",
    "HUB_CLAMD": "unix:/run/clamav/clamd.ctl",
}
NEEDED = [name for name in GIVEN if name not in ("HUB_DEMO", "HUB_CLAMD")]
KEPT = {name: value for name, value in GIVEN.items() if name not in ("HUB_DEMO", "HUB_ROOT_KEY_FILE")}
TRANSIT = {"HUB_TRANSIT_URL": "https://bao.example.org:8200", "HUB_TRANSIT_KEY": "hub"}


def test_a_complete_environment_is_read() -> None:
    settings = Settings.from_environment(
        GIVEN | {"HUB_PORT": "8999", "HUB_DEMO": "yes", "HUB_VAR": "/tmp/place"}
    )
    assert (settings.port, settings.demo, settings.var) == (8999, True, Path("/tmp/place"))
    assert settings.public_url == "http://127.0.0.1:8999"
    assert settings.owner_database_url is None
    assert settings.smtp_url is None
    assert settings.archived is False
    assert Settings.from_environment(GIVEN | {"HUB_ARCHIVE_BUCKET": "log"}).archived is True


@pytest.mark.parametrize("name", NEEDED)
def test_each_missing_variable_is_named(name: str) -> None:
    environment = {key: value for key, value in GIVEN.items() if key != name}
    with pytest.raises(SystemExit, match=f"{name} is not set"):
        Settings.from_environment(environment)
    with pytest.raises(SystemExit, match=f"{name} is not set"):
        Settings.from_environment(environment | {name: "  "})


def test_all_faults_are_told_at_once_and_without_the_values() -> None:
    with pytest.raises(SystemExit) as refused:
        Settings.from_environment(
            {"HUB_SECRET_KEY": "too-short", "HUB_PORT": "eighty", "HUB_DEMO": "perhaps"}
        )
    text = str(refused.value)
    for name in ("HUB_DATABASE_URL", "HUB_S3_BUCKET", "HUB_SECRET_KEY", "HUB_PORT", "HUB_DEMO"):
        assert name in text
    for value in ("too-short", "eighty", "perhaps"):
        assert value not in text


@pytest.mark.parametrize("port", ["0", "65536", "-1", "8_0", "٨٠٨٠", "1.5"])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    with pytest.raises(SystemExit, match="HUB_PORT"):
        Settings.from_environment(GIVEN | {"HUB_PORT": port})


@pytest.mark.parametrize("url", ["postgres://x/y", "mysql://x/y", "hub"])
def test_another_kind_of_database_is_refused(url: str) -> None:
    with pytest.raises(SystemExit, match="HUB_DATABASE_URL"):
        Settings.from_environment(GIVEN | {"HUB_DATABASE_URL": url})


def test_secrets_are_not_shown() -> None:
    settings = Settings.from_environment(
        GIVEN
        | {
            "HUB_OWNER_DATABASE_URL": "postgresql+psycopg://o:word-of-owner@h/d",
            "HUB_SMTP_URL": "smtp://word-of-mail",
        }
    )
    assert "files" in repr(settings)
    assert "word-of" not in repr(settings)


def test_the_owner_s_address_is_asked_for_by_name() -> None:
    with pytest.raises(SystemExit, match="HUB_OWNER_DATABASE_URL"):
        Settings.from_environment(GIVEN).required_owner_database_url()


@pytest.mark.parametrize(
    ("host", "only_here"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.0.2.1", False),
        ("hub.example", False),
        ("", False),
    ],
)
def test_loopback_is_told_from_the_rest(host: str, only_here: bool) -> None:
    assert bound_to_loopback(host) is only_here


@pytest.mark.parametrize("role", [WORKER, CLI, LOADER], ids=lambda role: str(role.name))
def test_a_process_signs_in_as_its_own_role_or_not_at_all(role: DatabaseRole) -> None:
    own = f"postgresql+psycopg://{role.name}:word@127.0.0.1/hub"
    assert Settings.from_environment(GIVEN | {role.variable: own}, role=role).database_url == own
    assert Settings.from_environment(GIVEN | {"HUB_DATABASE_URL": own}, role=role).database_url == own
    # the pages' address is no substitute, and neither is another role's under this one's name
    with pytest.raises(SystemExit, match=f"{role.variable} is not set"):
        Settings.from_environment(GIVEN, role=role)
    with pytest.raises(SystemExit, match=f"{role.variable} does not sign in as the role {role.name}"):
        Settings.from_environment(GIVEN | {role.variable: GIVEN["HUB_DATABASE_URL"]}, role=role)
    with pytest.raises(SystemExit, match="HUB_DATABASE_URL does not sign in as the role hub_app"):
        Settings.from_environment(GIVEN | {"HUB_DATABASE_URL": own})


def test_only_a_demonstration_may_be_without_a_scanner() -> None:
    without = {name: value for name, value in GIVEN.items() if name != "HUB_CLAMD"}
    with pytest.raises(SystemExit, match="HUB_CLAMD is not set"):
        Settings.from_environment(without | {"HUB_DEMO": "0"})
    settings = Settings.from_environment(without | {"HUB_DEMO": "1"})
    assert settings.clamd is None and settings.clamd_max_mib == 100


@pytest.mark.parametrize("address", ["tcp:127.0.0.1:3310", "tcp:[::1]:3310", "unix:/run/clamav/clamd.ctl"])
def test_a_scanner_is_named_by_its_socket(address: str) -> None:
    assert Settings.from_environment(GIVEN | {"HUB_CLAMD": address}).clamd == address


@pytest.mark.parametrize(
    "address", ["127.0.0.1:3310", "tcp:host", "tcp:host:70000", "tcp:host:0", "unix:here"]
)
def test_what_is_no_socket_is_refused(address: str) -> None:
    with pytest.raises(SystemExit, match="HUB_CLAMD is neither"):
        Settings.from_environment(GIVEN | {"HUB_CLAMD": address})


def test_a_key_file_is_for_demonstrations_only() -> None:
    with pytest.raises(SystemExit, match="HUB_ROOT_KEY_FILE is for demonstrations only"):
        Settings.from_environment(GIVEN | {"HUB_DEMO": "0"})
    with pytest.raises(SystemExit, match="HUB_KMS_KEY or HUB_TRANSIT_URL is not set"):
        Settings.from_environment(KEPT)


def test_the_root_key_has_one_keeper() -> None:
    with pytest.raises(SystemExit, match="not several"):
        Settings.from_environment(GIVEN | TRANSIT | {"HUB_TRANSIT_TOKEN_FILE": "/run/token"})
    kms = Settings.from_environment(KEPT | {"HUB_KMS_KEY": "alias/hub", "HUB_KMS_REGION": "eu-west-2"}).kms
    assert kms and (kms.key, kms.region, kms.endpoint) == ("alias/hub", "eu-west-2", "")
    transit = Settings.from_environment(KEPT | TRANSIT | {"HUB_TRANSIT_TOKEN_FILE": "/run/token"}).transit
    assert transit and (transit.url, transit.mount) == ("https://bao.example.org:8200", "transit")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"HUB_KMS_KEY": "1234-5678", "HUB_KMS_REGION": "eu-west-2"}, "not an alias"),
        ({"HUB_KMS_KEY": "alias/hub"}, "HUB_KMS_REGION is not set"),
        (
            {"HUB_KMS_KEY": "alias/hub", "HUB_KMS_REGION": "x", "HUB_KMS_ENDPOINT": "http://kms.example.org"},
            "HUB_KMS_ENDPOINT does not start with https://",
        ),
        (TRANSIT, "HUB_TRANSIT_TOKEN_FILE, or"),
        (TRANSIT | {"HUB_TRANSIT_ROLE_ID": "role"}, "HUB_TRANSIT_SECRET_ID_FILE"),
        (
            TRANSIT | {"HUB_TRANSIT_URL": "http://10.0.0.1:8200", "HUB_TRANSIT_TOKEN_FILE": "/run/token"},
            "HUB_TRANSIT_URL does not start with https://",
        ),
    ],
)
def test_a_keeper_that_is_half_named_is_refused(given: dict[str, str], told: str) -> None:
    with pytest.raises(SystemExit, match=told):
        Settings.from_environment(KEPT | given)
