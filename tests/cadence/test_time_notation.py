import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commsengine.cadence.time_notation import Moment, Wait, clock_text, parse_clock, parse_date, parse_span, span_text

MOMENTS = {
    "go_live": Moment("go_live"),
    "go_live - 7d": Moment("go_live", offset=-7),
    "go_live-7d": Moment("go_live", offset=-7),
    "go-live + 2 weeks": Moment("go-live", offset=14),
    "kickoff + 2 working days": Moment("kickoff", offset=2, working=True),
    "kickoff - 1 working day": Moment("kickoff", offset=-1, working=True),
    "2027-03-15": Moment(date=dt.date(2027, 3, 15)),
    "2027-03-15 9:30": Moment(date=dt.date(2027, 3, 15), time=570),
    "go_live 24:00 + 1 day": Moment("go_live", time=1440, offset=1),
}


@pytest.mark.parametrize("text", MOMENTS)
def test_a_moment_is_read(text: str) -> None:
    assert Moment.parse(text) == MOMENTS[text]


@pytest.mark.parametrize("text", ["", "go live", "+ 7d", "go_live + 7", "go_live + 7 months", "2027-02-30", "9:30"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"write|check"):
        Moment.parse(text)


@given(
    st.builds(
        Moment,
        milestone=st.sampled_from(("kickoff", "go_live", "go-live", "phase_2")),
        time=st.integers(0, 1440),
        offset=st.integers(1, 400) | st.integers(-400, -1),
        working=st.booleans(),
    )
)
def test_a_moment_is_written_as_it_is_read(moment: Moment) -> None:
    assert Moment.parse(str(moment)) == moment


def test_an_offset_of_nothing_is_no_offset() -> None:
    assert Moment.parse("kickoff + 0 working days") == Moment.parse("kickoff")


@pytest.mark.parametrize(("text", "minutes"), [("00:00", 0), ("09:30", 570), ("24:00", 1440)])
def test_a_time_of_day_is_read_and_written(text: str, minutes: int) -> None:
    assert parse_clock(text) == minutes
    assert clock_text(minutes) == text


@pytest.mark.parametrize("text", ["9:30", "0930", "24:01", "12:60", "570", "noon"])
def test_what_is_no_time_of_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a time of day"):
        parse_clock(text)


@pytest.mark.parametrize(("text", "minutes"), [("48h", 2880), ("30m", 30), ("3 days", 4320), ("2 weeks", 20160)])
def test_a_span_is_read(text: str, minutes: int) -> None:
    assert parse_span(text) == minutes
    assert parse_span(span_text(minutes)) == minutes


@pytest.mark.parametrize("text", ["48", "two days", "-3h", "1.5h", True])
def test_what_is_no_span_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="not a span of time"):
        parse_span(text)


@pytest.mark.parametrize("text", ["2 touches", "1 touch", "5 working days"])
def test_a_wait_is_read_and_written(text: str) -> None:
    assert Wait.parse(str(Wait.parse(text))) == Wait.parse(text)


@pytest.mark.parametrize("text", ["0 touches", "touches", "5 days", "-1 touch"])
def test_what_is_no_wait_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a wait"):
        Wait.parse(text)


@pytest.mark.parametrize("text", ["2026-02-30", "15.03.2027", "2027-3-15", "0123"])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="YYYY-MM-DD"):
        parse_date(text)
