import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.durations import format_duration, parse_duration

MILLISECONDS = st.integers(0, 100 * 3600 * 1000)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("15s", 15),
        ("1m30s", 90),
        ("250ms", 0.25),
        ("1.5s", 1.5),
        ("1h0m1s", 3601),
        ("1d", 86400),
        ("2us", 2e-6),
        ("3ns", 3e-9),
        ("0s", 0),
    ],
)
def test_reads_what_compose_files_hold(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "15", "s", "-1s", "1 s", " 1s", "1s ", "1w", "1m-5s", "١s1"])
def test_refuses_anything_else(text: str) -> None:
    with pytest.raises(ValueError) as refusal:  # noqa: PT011  the message is compared below
        parse_duration(text)
    assert str(refusal.value) == f'"{text}" is not a duration; write it like 15s, 1m30s or 250ms'


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.25, "250ms"),
        (1, "1s"),
        (1.5, "1.5s"),
        (1.05, "1.05s"),
        (10, "10s"),
        (60, "1m0s"),
        (90.5, "1m30.5s"),
        (3600, "1h0m0s"),
        (3661, "1h1m1s"),
        (90000, "25h0m0s"),
        (0.9996, "1s"),
        (59.9996, "1m0s"),
        (0.0001, "0s"),
    ],
)
def test_writes_as_docker_does(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@given(MILLISECONDS)
def test_what_is_written_reads_back_the_same(milliseconds: int) -> None:
    seconds = milliseconds / 1000

    assert parse_duration(format_duration(seconds)) == pytest.approx(seconds)


@given(st.floats(0, 1e6))
def test_writing_is_off_by_less_than_a_millisecond(seconds: float) -> None:
    assert parse_duration(format_duration(seconds)) == pytest.approx(seconds, abs=0.00051)
