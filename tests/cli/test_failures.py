"""Errors of the engines, the network and files have a sentence; a defect has none, and keeps its trace."""

import errno

import httpx
import pytest
from aiokafka.errors import CorruptRecordException, KafkaConnectionError
from pymongo.errors import OperationFailure, ServerSelectionTimeoutError

from services.cli.failures import sentence_of
from services.kernel import Refused
from services.operations.backup.documents import Damaged
from services.scenarios.client import ScenarioFailed
from services.settings import Misconfigured

TOLD: list[tuple[BaseException, str]] = [
    (Misconfigured("Set AMA_KAFKA."), "Set AMA_KAFKA."),
    (Refused("gone", "It is gone."), "Refused: It is gone."),
    (
        ServerSelectionTimeoutError("x" * 5000),
        "(ServerSelectionTimeoutError): start it. A new one is made ready by `ama provision`.",
    ),
    (OperationFailure("not authorized", 13), "MongoDB refused: OperationFailure: not authorized"),
    (Damaged("page 3 is cut"), "The backup is damaged: page 3 is cut."),
    (KafkaConnectionError("x"), "Kafka does not answer (KafkaConnectionError)"),
    (CorruptRecordException("Invalid CRC - a-0"), "every topic is filled again"),
    (httpx.ConnectError("no", request=httpx.Request("GET", "http://h/x")), "http://h/x does not answer (ConnectError)"),
    (ScenarioFailed("not within 90 s: a seat"), "not within 90 s: a seat. Run the command again"),
    (PermissionError(errno.EACCES, "Permission denied", "/x"), "/x: Permission denied."),
    (ExceptionGroup("several", [ValueError(), KafkaConnectionError("x")]), "Kafka does not answer"),
]


@pytest.mark.parametrize(("error", "sentence"), TOLD, ids=lambda each: type(each).__name__)
def test_an_error_of_what_is_around_has_one_short_sentence(error: BaseException, sentence: str) -> None:
    said = sentence_of(error)
    assert said is not None
    assert sentence in said
    assert "\n" not in said
    assert len(said) < 500


@pytest.mark.parametrize(
    "error", [KeyError("x"), AssertionError(), TimeoutError(), ExceptionGroup("several", [TypeError()])]
)
def test_a_defect_has_none(error: BaseException) -> None:
    assert sentence_of(error) is None
