"""A partner's user, made by the command: it reads its own feed, keeps its own groups, and is refused everything else."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import GroupAuthorizationFailedError, TopicAuthorizationFailedError, for_code

from services.consumer import Feed, FeedStopped, Sqlite
from services.engines import Engines, Sasl
from services.engines.kafka import answers, login_of
from tests.consumer.stores import journalling
from tests.helpers.traffic import consume, make_topic, produce, subscribe

PARTNER, FEED, OTHER = "cgil", "ama.feed.cgil", "ama.feed.uil"
AMA = str(Path(sys.executable).with_name("ama"))


def ama(engines: Engines, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command as an administrator of these engines."""
    assert engines.sasl
    told = {
        "AMA_KAFKA": engines.kafka,
        "AMA_MONGO": engines.mongo,
        "AMA_SASL_USERNAME": engines.sasl.username,
        "AMA_SASL_PASSWORD": engines.sasl.password,
        "AMA_DATA": "/nonexistent",
    }
    return subprocess.run([AMA, "partners", *words], env=os.environ | told, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def settings(engines: Engines) -> Iterator[dict[str, str]]:
    """Output of the command, as a shell would read it; there are the feeds of two partners, and an internal topic."""
    for topic in (FEED, OTHER, "ama.enrolment"):
        asyncio.run(_made(engines, topic))
    done = ama(engines, "user", PARTNER)
    assert done.returncode == 0, done.stderr
    yield dict(line.split("=", 1) for line in done.stdout.splitlines())
    assert ama(engines, "remove", PARTNER).returncode == 0


async def _made(engines: Engines, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=engines.kafka, **login_of(_sasl(engines)))
    await admin.start()
    there = topic in await admin.list_topics()
    await admin.close()
    if not there:
        await make_topic(engines, topic)
    await produce(engines, engines.sasl, topic, "said")


def _sasl(engines: Engines) -> Sasl:
    assert engines.sasl
    return engines.sasl


@pytest.fixture
def partner(settings: dict[str, str]) -> Sasl:
    """The login of the partner's user."""
    return Sasl(settings["AMA_FEED_USER"], settings["AMA_FEED_PASSWORD"], settings["AMA_FEED_MECHANISM"])


def test_it_reads_its_feed_and_keeps_groups_of_its_own(
    engines: Engines, settings: dict[str, str], partner: Sasl
) -> None:
    feed = Feed.from_environment(settings)
    assert (feed.kafka, feed.topic, feed.user) == (engines.kafka, FEED, PARTNER)
    assert "said" in asyncio.run(consume(engines, partner, FEED, f"{PARTNER}.desk"))
    assert asyncio.run(subscribe(engines, partner, FEED, f"{PARTNER}.another"))


@pytest.mark.parametrize("topic", [OTHER, "ama.enrolment", "ama.feed.cgil-lecco", "__consumer_offsets"])
def test_no_other_topic_is_read(engines: Engines, partner: Sasl, topic: str) -> None:
    with pytest.raises(TopicAuthorizationFailedError):
        asyncio.run(subscribe(engines, partner, topic, f"{PARTNER}.desk"))


@pytest.mark.parametrize("group", ["uil.desk", "ama_grouping.reactions", "cgil", "cgil-lecco.desk"])
def test_no_other_group_is_joined(engines: Engines, partner: Sasl, group: str) -> None:
    with pytest.raises(GroupAuthorizationFailedError):
        asyncio.run(subscribe(engines, partner, FEED, group))


@pytest.mark.parametrize("topic", [FEED, OTHER, "ama.enrolment"])
def test_nothing_is_written(engines: Engines, partner: Sasl, topic: str) -> None:
    with pytest.raises(TopicAuthorizationFailedError):
        asyncio.run(produce(engines, partner, topic, "forged", transaction=None))


def test_no_transaction_is_begun_in_anothers_name(engines: Engines, partner: Sasl) -> None:
    with pytest.raises(Exception, match="TransactionalIdAuthorizationFailed"):
        asyncio.run(produce(engines, partner, FEED, "forged", transaction="ama.notifications.feeds"))


def test_no_topic_is_made_and_none_of_others_is_seen(engines: Engines, partner: Sasl) -> None:
    async def try_it() -> tuple[list[str], str]:
        admin = AIOKafkaAdminClient(bootstrap_servers=engines.kafka, **login_of(partner))
        await admin.start()
        try:
            made = await admin.create_topics([NewTopic("cgil.own", 1, 1)])
            return await admin.list_topics(), for_code(made.topic_errors[0][1]).__name__
        finally:
            await admin.close()

    assert asyncio.run(try_it()) == ([FEED], "TopicAuthorizationFailedError")


def test_the_kit_says_of_anothers_feed_that_it_is_not_to_be_read(
    engines: Engines, partner: Sasl, tmp_path: Path
) -> None:
    feed = Feed(engines.kafka, OTHER, partner.username, partner.password)
    with pytest.raises(FeedStopped, match=r"ama\.feed\.uil is not there yet, or cgil may not read it"):
        asyncio.run(journalling(Sqlite(tmp_path / "x.db"), feed=feed).lag())


@pytest.mark.long
def test_a_new_password_replaces_the_old_one_and_a_removed_user_comes_in_no_more(engines: Engines) -> None:
    def password() -> str:
        told = ama(engines, "user", "uil").stdout
        return dict(line.split("=", 1) for line in told.splitlines())["AMA_FEED_PASSWORD"]

    def comes_in(password: str) -> bool:
        return asyncio.run(answers(engines.kafka, Sasl("uil", password)))

    old, new = password(), password()
    assert (comes_in(old), comes_in(new)) == (False, True)
    assert ama(engines, "remove", "uil").returncode == 0
    assert not comes_in(new)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("user", "nobody"), "No programme has a partner nobody."),
        (("user", "aeris"), "aeris has no feed"),
        (("user", "admin"), "admin is the administrator"),
        (("remove", "admin"), "admin is the administrator"),
    ],
)
def test_what_makes_no_sense_is_refused_with_one_sentence(
    engines: Engines, words: tuple[str, str], reason: str
) -> None:
    done = ama(engines, *words)
    assert done.returncode == 1
    assert reason in done.stderr
    assert "Traceback" not in done.stderr
