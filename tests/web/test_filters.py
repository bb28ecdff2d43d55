"""Dates, counts and text as templates write them, with the hours at which London's clocks change."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from hub.web import filters as f

NOW = datetime(2026, 11, 21, 9, 12, tzinfo=UTC)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


class TestDates:
    def test_a_date_is_written_as_people_write_it(self) -> None:
        assert f.format_date(date(2026, 11, 21)) == "21 November 2026"
        assert f.format_short_date(date(2026, 6, 4)) == "4 Jun 2026"

    def test_an_unknown_date_says_so(self) -> None:
        assert f.format_date(None) == f.format_datetime(None) == f.format_partial_date(None) == "Not known"

    def test_the_day_is_londons_not_utcs(self) -> None:
        assert f.format_date(utc(2026, 6, 30, 23, 30)) == "1 July 2026"
        assert f.format_date(utc(2026, 12, 31, 23, 30)) == "31 December 2026"

    def test_a_time_without_a_zone_is_refused(self) -> None:
        with pytest.raises(ValueError, match="without its zone"):
            f.format_datetime(datetime(2026, 11, 21, 9, 12))

    @pytest.mark.parametrize(
        ("moment", "written"),
        [
            (utc(2026, 11, 21, 9, 12), "21 November 2026 at 9:12am"),
            (utc(2026, 7, 21, 9, 12), "21 July 2026 at 10:12am"),
            (utc(2026, 11, 21, 0, 5), "21 November 2026 at 12:05am"),
            (utc(2026, 11, 21, 12, 0), "21 November 2026 at midday"),
            (utc(2026, 11, 21, 12, 30), "21 November 2026 at 12:30pm"),
            (utc(2026, 11, 21, 23, 59), "21 November 2026 at 11:59pm"),
            (utc(2026, 11, 21, 17, 0), "21 November 2026 at 5pm"),
        ],
    )
    def test_a_time_is_written_in_london(self, moment: datetime, written: str) -> None:
        assert f.format_datetime(moment) == written

    def test_spring_skips_an_hour(self) -> None:
        assert f.format_datetime(utc(2026, 3, 29, 0, 59)) == "29 March 2026 at 12:59am"
        assert f.format_datetime(utc(2026, 3, 29, 1, 0)) == "29 March 2026 at 2am"

    def test_the_hour_that_happens_twice_names_its_zone(self) -> None:
        assert f.format_time(utc(2026, 10, 25, 0, 30)) == "1:30am BST"
        assert f.format_time(utc(2026, 10, 25, 1, 30)) == "1:30am GMT"
        assert f.format_time(utc(2026, 10, 25, 2, 0)) == "2am"
        assert f.format_time(utc(2026, 10, 24, 23, 59)) == "12:59am"

    def test_the_machine_readable_time_keeps_its_offset(self) -> None:
        assert f.iso(NOW) == "2026-11-21T09:12:00+00:00"
        assert f.iso(date(2026, 11, 21)) == "2026-11-21"


class TestPartialDates:
    @pytest.mark.parametrize(
        ("stored", "written"),
        [
            ("2026", "2026"),
            ("2026-03", "March 2026"),
            ("2026-03-04", "4 March 2026"),
            ("", "Not known"),
            ("last spring", "last spring"),
            ("2026-13", "2026-13"),
            ("2026-00-01", "2026-00-01"),
        ],
    )
    def test_only_the_known_parts_are_written(self, stored: str, written: str) -> None:
        assert f.format_partial_date(stored) == written


class TestRelativeTime:
    @pytest.mark.parametrize(
        ("away", "written"),
        [
            (timedelta(0), "just now"),
            (timedelta(seconds=-59), "just now"),
            (timedelta(seconds=30), "in less than a minute"),
            (timedelta(minutes=-1), "1 minute ago"),
            (timedelta(minutes=-59, seconds=-59), "59 minutes ago"),
            (timedelta(hours=-3), "3 hours ago"),
            (timedelta(hours=2, minutes=5), "in 2 hours"),
            (timedelta(days=-1), "yesterday"),
            (timedelta(days=1), "tomorrow"),
            (timedelta(days=2), "in 2 days"),
            (timedelta(days=-13), "13 days ago"),
            (timedelta(days=-14), "2 weeks ago"),
            (timedelta(days=-60), "8 weeks ago"),
            (timedelta(days=-61), "2 months ago"),
            (timedelta(days=-400), "13 months ago"),
            (timedelta(days=-1100), "3 years ago"),
        ],
    )
    def test_distance_in_words(self, away: timedelta, written: str) -> None:
        assert f.relative_time(NOW + away, NOW) == written

    def test_last_night_is_hours_ago_and_yesterday_noon_is_yesterday(self) -> None:
        morning = utc(2026, 11, 21, 2, 0)
        assert f.relative_time(utc(2026, 11, 20, 23, 0), morning) == "3 hours ago"
        assert f.relative_time(utc(2026, 11, 20, 12, 0), morning) == "yesterday"

    def test_days_are_londons(self) -> None:
        # 11:30pm on 30 June in London's summer is still the day before
        now = utc(2026, 7, 1, 22, 45)
        assert f.relative_time(utc(2026, 6, 30, 22, 30), now) == "yesterday"
        assert f.relative_time(utc(2026, 6, 30, 23, 30), now) == "23 hours ago"

    def test_a_day_without_a_time_is_compared_by_day(self) -> None:
        assert f.relative_time(date(2026, 11, 21), NOW) == "today"
        assert f.relative_time(date(2026, 11, 22), NOW) == "tomorrow"
        assert f.relative_time(date(2026, 11, 18), NOW) == "3 days ago"

    @given(st.timedeltas(min_value=timedelta(days=-36_500), max_value=timedelta(days=36_500)))
    def test_past_and_future_never_mix(self, away: timedelta) -> None:
        words = f.relative_time(NOW + away, NOW)
        assert not (words.startswith("in ") and words.endswith(" ago"))
        if away >= timedelta(days=2):
            assert words.startswith("in ")
        if away <= timedelta(days=-2):
            assert words.endswith(" ago")


class TestText:
    def test_line_ends_and_paragraphs_are_kept(self) -> None:
        assert f.paragraphs("One\r\ntwo\n\n \nthree") == (
            '<p class="hub-text">One<br>two</p>\n<p class="hub-text">three</p>'
        )

    def test_markup_in_text_is_shown_not_run(self) -> None:
        shown = f.paragraphs('<script>alert("x")</script>\n<img src=x onerror=y>')
        assert isinstance(shown, Markup)
        assert "<script" not in shown and "<img" not in shown
        assert "&lt;script&gt;" in shown

    def test_nothing_gives_nothing(self) -> None:
        assert f.paragraphs(None) == f.paragraphs("") == f.paragraphs(" \n \n") == ""

    def test_a_hostile_text_takes_no_longer_than_an_honest_one(self) -> None:
        start = time.perf_counter()
        f.paragraphs("\n \n" * 7_000 + " ")
        assert time.perf_counter() - start < 1

    @given(st.text(max_size=300))
    def test_only_our_own_tags_come_out(self, text: str) -> None:
        rest = f.paragraphs(text).replace('<p class="hub-text">', "").replace("</p>", "").replace("<br>", "")
        assert "<" not in rest and ">" not in rest


class TestCounts:
    def test_words_agree_with_the_number(self) -> None:
        assert f.count_words(1, "case", "cases") == "1 case"
        assert f.count_words(0, "case", "cases") == "0 cases"
        assert f.count_words(2031, "entry", "entries") == "2,031 entries"

    def test_nothing_is_counted_past_the_cap(self) -> None:
        assert f.count_text(1_000, 1_000) == "1,000"
        assert f.count_text(1_001, 1_000) == "more than 1,000"
        assert f.count_text(51, 50) == "more than 50"

    @pytest.mark.parametrize(
        ("size", "written"),
        [
            (0, "0 bytes"),
            (1, "1 byte"),
            (999, "999 bytes"),
            (1_000, "1 KB"),
            (812_400, "812 KB"),
            (999_600, "1 MB"),
            (4_210_000, "4.2 MB"),
            (2_500_000_000, "2.5 GB"),
            (5_000_000_000_000, "5,000 GB"),
        ],
    )
    def test_sizes_are_short(self, size: int, written: str) -> None:
        assert f.file_size(size) == written

    @pytest.mark.parametrize(
        ("name", "letters"),
        [("Amina Khan", "AK"), ("Siân Llewellyn-Price", "SP"), ("Ng", "N"), ("", ""), ("7 (unknown)", "")],
    )
    def test_initials_survive_any_name(self, name: str, letters: str) -> None:
        assert f.initials(name) == letters


def test_every_filter_is_registered() -> None:
    assert set(f.FILTERS) >= {"format_date", "format_datetime", "relative_time", "paragraphs", "file_size"}
    assert all(getattr(f, name) is function for name, function in f.FILTERS.items())
