"""Failed sign-ins wait longer and longer, and nobody waits for the failures of others."""

import logging

import pytest

from services.identity.attempts import ACCOUNT_WAITS, ADDRESS_WAITS, FORGOTTEN, FREE, MOST, Attempts


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


HERE, ELSEWHERE = "192.0.2.1", "198.51.100.7"


def guess(attempts: Attempts, clock: Clock, seconds: float, account: str = "anna", address: str = HERE) -> int:
    """Guess as often as one may for so many seconds. Gives the number of guesses."""
    end, guesses = clock.now + seconds, 0
    while clock.now < end:
        if (wait := attempts.wait(account, address)) <= 0:
            attempts.failed(account, address)
            guesses += 1
        clock.now += max(min(wait, end - clock.now), 0.05)
    return guesses


def test_an_hour_of_guesses_from_one_address_is_a_few_whatever_account_is_named() -> None:
    clock = Clock()
    attempts, guesses = Attempts(clock), 0
    for number in range(360):
        guesses += guess(attempts, clock, 10.0, f"anna {number}")
    assert FREE < guesses < 30


def test_the_wait_grows_to_its_longest() -> None:
    clock = Clock()
    attempts, waits = Attempts(clock), []
    for _ in range(14):
        attempts.failed("anna", HERE)
        waits.append(attempts.wait("anna", HERE))
        clock.now += waits[-1]
    assert waits[: FREE + 3] == [0, 0, 1, 2, 4, 8]
    assert waits[-1] == ADDRESS_WAITS
    clock.now += FORGOTTEN
    attempts.failed("anna", HERE)
    assert attempts.wait("anna", HERE) == 0


def test_from_many_addresses_an_account_is_guessed_slowly_and_a_stranger_waits_little() -> None:
    clock = Clock()
    attempts, guesses = Attempts(clock), 0
    for number in range(600):
        guesses += guess(attempts, clock, 1.0, "anna", f"203.0.{number // 250}.{number % 250}")
    assert guesses < 40
    assert attempts.wait("anna", HERE) <= ACCOUNT_WAITS
    assert attempts.wait("eva", HERE) == 0, "others are not concerned"


def test_nobody_is_locked_out_of_a_place_where_they_have_signed_in_before() -> None:
    clock = Clock()
    attempts = Attempts(clock)
    attempts.succeeded("anna", HERE)
    guess(attempts, clock, 300.0, "anna", ELSEWHERE)
    guess(attempts, clock, 300.0, "eva", HERE)
    attempts.failed("eva", HERE)
    assert attempts.wait("anna", HERE) == 0
    assert attempts.wait("carla", HERE) > 0


def test_an_ipv6_subscriber_is_one_address() -> None:
    clock = Clock()
    attempts = Attempts(clock)
    for number in range(10):
        attempts.failed(f"anna {number}", f"2001:db8::{number:x}")
    assert attempts.wait("carla", "2001:db8::ffff") > 0
    assert attempts.wait("carla", "2001:db8:0:1::1") == 0


def test_a_log_line_holds_neither_name_nor_address(caplog: pytest.LogCaptureFixture) -> None:
    attempts = Attempts(Clock())
    with caplog.at_level(logging.WARNING):
        attempts.failed("Anna Bianchi", HERE)
        attempts.failed("anna bianchi ", HERE)
    first, second = caplog.records
    assert "anna" not in str(first.__dict__).lower()
    assert HERE not in str(first.__dict__)
    assert (first.account, first.address) == (second.account, second.address)  # type: ignore[attr-defined]  # extra


def test_memory_is_bounded() -> None:
    attempts = Attempts(Clock())
    for number in range(MOST + 500):
        attempts.failed(f"anna {number}", f"2001:db8:{number:x}::")
    assert len(attempts._failures) == MOST
