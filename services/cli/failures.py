"""One sentence for an error that an operator can mend, whichever command met it.

Invariant: only errors of the surroundings have a sentence: settings, engines, the network, files. Any other error is a defect and keeps its
trace.
"""

import sys
from collections.abc import Callable, Iterator
from typing import Any

LENGTH = 300  # characters: drivers append whole replies and topologies


def sentence_of(error: BaseException) -> str | None:
    """The sentence for the operator; None for a defect. A group of errors has the sentence of its first error that has one."""
    if isinstance(error, BaseExceptionGroup):
        return next(filter(None, map(sentence_of, error.exceptions)), None)
    # Python's own, which tells of no file and no address: whatever waited in vain has to be found.
    if type(error) is TimeoutError and error.errno is None:
        return None
    return next((say(error) for kind, say in _sentences() if isinstance(error, kind)), None)


def _sentences() -> Iterator[tuple[Any, Callable[[Any], str]]]:
    """Kinds of errors, each with its sentence. The first kind that fits counts: an error of a driver may be an OSError as well."""
    for module, kind, say in KINDS:
        # An error of a module that was never imported cannot have been raised, and most commands import few of them.
        if (found := sys.modules.get(module)) is not None:
            yield getattr(found, kind), say
    yield OSError, _of_the_machine


def _as_it_says(error: Exception) -> str:
    return str(error)


def _mongodb(error: Exception) -> str:
    from services.store.errors import is_transient

    if is_transient(error):
        return (
            f"MongoDB does not answer ({type(error).__name__}): start it. A new one is made ready by `ama provision`."
        )
    return f"MongoDB refused: {type(error).__name__}: {str(error)[:LENGTH]}"


def _kafka(error: Exception) -> str:
    return f"Kafka does not answer ({type(error).__name__}): start it, and try again."


def _damaged(error: Exception) -> str:
    return (
        f"A partition of Kafka is damaged ({error}). MongoDB has every event: stop the services, delete Kafka's data (the folder `kafka` "
        "of an `ama up`), and start again; every topic is filled again."
    )


def _http(error: Any) -> str:
    # `request` raises where a client set none.
    asked = getattr(error, "_request", None)
    return f"{asked.url if asked is not None else 'The service'} does not answer ({type(error).__name__})."


def _unfinished(error: Exception) -> str:
    return f"It did not come to its end: {error}. Run the command again: it continues where it stopped, and does nothing twice."


def _of_the_machine(error: OSError) -> str:
    told = error.strerror or str(error) or type(error).__name__
    return f"{error.filename}: {told}." if error.filename else f"This machine refused: {told}."


KINDS: tuple[tuple[str, str, Callable[[Any], str]], ...] = (
    ("services.settings", "Misconfigured", _as_it_says),
    ("services.engines.errors", "EngineError", _as_it_says),
    ("services.kernel", "Refused", lambda error: f"Refused: {error.detail}"),
    ("services.kernel", "Unavailable", _as_it_says),
    ("services.scenarios.client", "ScenarioFailed", _unfinished),
    ("services.operations.backup.documents", "Damaged", lambda error: f"The backup is damaged: {error}."),
    ("pymongo.errors", "PyMongoError", _mongodb),
    ("aiokafka.errors", "CorruptRecordException", _damaged),
    ("aiokafka.errors", "KafkaError", _kafka),
    ("httpx", "HTTPError", _http),
)
