"""A personal link is for one person and one purpose, until it expires."""

import time

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from services.identity.auth import Link, read_link, sign_link
from services.kernel import Refusal, Refused

SECRET = bytes(range(32))
LINK = Link("jobs2", "w1", "survey:T1")


def test_a_link_stands_for_what_was_signed() -> None:
    assert read_link(SECRET, sign_link(SECRET, LINK, 60)) == LINK


def payload(**told: object) -> str:
    return jwt.encode({"alg": "HS256", "typ": "link+jwt"}, told, OctKey.import_key(SECRET))


@pytest.mark.parametrize(
    "token",
    [
        sign_link(SECRET, LINK, -1),
        sign_link(bytes(32), LINK, 60),
        sign_link(SECRET, LINK, 60)[:-4] + "AAAA",
        payload(programme="jobs2", sub="w1", purpose="survey:T1"),
        payload(programme="jobs2", sub="w1", exp=int(time.time()) + 60),
        payload(programme="jobs2", sub={"$ne": 1}, purpose="survey:T1", exp=int(time.time()) + 60),
        "e30.e30.e30",
        "nonsense",
        "",
        "é",
        "eyJhbGciOiJub25lIn0.e30.",
    ],
)
def test_a_link_that_is_not_ours_or_has_expired_says_nothing_but_that(token: str) -> None:
    with pytest.raises(Refused) as refused:
        read_link(SECRET, token)
    assert (refused.value.code, refused.value.kind) == ("no-such-link", Refusal.NOT_FOUND)


def test_another_thing_signed_with_the_same_secret_is_no_link() -> None:
    told = {"programme": "jobs2", "sub": "w1", "purpose": "survey:T1", "exp": int(time.time()) + 60}
    with pytest.raises(Refused):
        read_link(SECRET, jwt.encode({"alg": "HS256"}, told, OctKey.import_key(SECRET)))
