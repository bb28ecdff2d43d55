"""Who is told of the log's second place: the sequencer alone has its keys, and what is not given is that of the files."""

from __future__ import annotations

import pytest

from hub.config import APP, ArchiveSettings
from hub.launcher.environment import LOG_KEY, SEQUENCER_URL, for_archive, for_sequencer, for_service
from hub.launcher.objectstore import S3Address

FILES = {
    "HUB_S3_ENDPOINT": "https://files.example.org",
    "HUB_S3_BUCKET": "files",
    "HUB_S3_REGION": "eu-west-2",
    "HUB_S3_ACCESS_KEY": "files-key",
    "HUB_S3_SECRET_KEY": "files-secret",
}
OWN = S3Address("http://127.0.0.1:1", "hub-log", "log-key", "log-secret")


def test_without_a_bucket_there_is_no_second_place() -> None:
    assert ArchiveSettings.from_environment(FILES) is None


def test_what_is_not_given_is_that_of_the_files() -> None:
    found = ArchiveSettings.from_environment({**FILES, "HUB_ARCHIVE_BUCKET": "log"})
    assert found == ArchiveSettings(
        s3_endpoint="https://files.example.org",
        s3_bucket="log",
        s3_region="eu-west-2",
        s3_access_key="files-key",
        s3_secret_key="files-secret",
        days=2557,
        partial_days=7,
        online_months=24,
    )
    assert "secret" not in repr(found)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"HUB_S3_ENDPOINT": ""}, "HUB_S3_ENDPOINT is not set"),
        ({"HUB_ARCHIVE_ACCESS_KEY": "x"}, "belong together"),
        ({"HUB_ARCHIVE_DAYS": "0"}, "HUB_ARCHIVE_DAYS is not a number from 1"),
        ({"HUB_ARCHIVE_PARTIAL_DAYS": "1.5"}, "HUB_ARCHIVE_PARTIAL_DAYS"),
        ({"HUB_ARCHIVE_ONLINE_MONTHS": "-1"}, "HUB_ARCHIVE_ONLINE_MONTHS"),
    ],
)
def test_a_wrong_setting_is_named(given: dict[str, str], words: str) -> None:
    with pytest.raises(SystemExit, match=words):
        ArchiveSettings.from_environment({**FILES, "HUB_ARCHIVE_BUCKET": "log", **given})


def test_our_own_store_s_bucket_is_used_unless_another_is_given() -> None:
    assert for_archive(OWN, {"HUB_ARCHIVE_BUCKET": "theirs"}, demo=True) == {}
    made = for_archive(OWN, {}, demo=False)
    assert (made["HUB_ARCHIVE_BUCKET"], made["HUB_ARCHIVE_ACCESS_KEY"]) == ("hub-log", "log-key")
    assert "HUB_ARCHIVE_DAYS" not in made
    assert for_archive(OWN, {}, demo=True)["HUB_ARCHIVE_DAYS"] == "1"
    assert "HUB_ARCHIVE_DAYS" not in for_archive(OWN, {"HUB_ARCHIVE_DAYS": "3"}, demo=True)


def test_web_and_worker_do_not_get_its_keys() -> None:
    told = for_service({**FILES, APP.variable: "x", **for_archive(OWN, {}, demo=True)}, APP)
    assert {name for name in told if name.endswith("_KEY")} == {"HUB_S3_ACCESS_KEY", "HUB_S3_SECRET_KEY"}
    # but that there is a second place, whose lag the health page tells of
    assert told["HUB_ARCHIVE_BUCKET"] == "hub-log"


def test_the_sequencer_gets_what_reaches_the_bucket_and_nothing_of_the_files_where_they_differ() -> None:
    base = {**FILES, SEQUENCER_URL: "y", LOG_KEY: "z"}
    told = for_sequencer({**base, **for_archive(OWN, {}, demo=True)})
    assert not [name for name in told if name.startswith("HUB_S3_")]
    assert ArchiveSettings.from_environment(told) == ArchiveSettings(
        s3_endpoint="http://127.0.0.1:1",
        s3_bucket="hub-log",
        s3_region="us-east-1",
        s3_access_key="log-key",
        s3_secret_key="log-secret",
        days=1,
    )
    shared = ArchiveSettings.from_environment(for_sequencer({**base, "HUB_ARCHIVE_BUCKET": "log"}))
    assert shared is not None and (shared.s3_access_key, shared.s3_region) == ("files-key", "eu-west-2")
    assert for_sequencer(base) == {SEQUENCER_URL: "y", LOG_KEY: "z"}
