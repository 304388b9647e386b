"""The log: one JSON object a line, from everything in the process, on standard error or in a file.

Invariant: a line holds a fixed sentence and fields that are named here. Of an exception it holds the type and the frames, never the text,
in which a library may quote the data of a person.
"""

import logging
import sys
import time
import traceback
from collections.abc import Iterator
from typing import Any

import structlog
from opentelemetry import trace
from structlog.typing import EventDict, Processor

from services.contracts.topics import SERVICES

FIELDS = {
    "service",
    "consumer",
    "error",
    "topic",
    "offset",
    "attempt",
    "origin",
    "reason",
    "partner",
    "status",
    "route",
    "count",
    "account",  # a keyed hash, never the name
    "address",  # a keyed hash, never the address
}
LIBRARIES = ("aiokafka", "faststream")
REPEAT = 10.0  # seconds between two equal sentences of a library
LONGEST = 500  # characters of one field
DEEPEST = 40  # frames of one exception
_OURS = {"services", *SERVICES}


def log_as_json(level: int = logging.WARNING, to: logging.Handler | None = None) -> None:
    """Write every log line of the process as JSON, with known fields only: on standard error, or to the handler `to`."""
    chain: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(allow=FIELDS),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _trace,
        _exception,
        _short,
    ]
    last: list[Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.JSONRenderer(),
    ]
    handler = to or logging.StreamHandler(sys.stderr)
    handler.addFilter(RepeatFilter())
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=chain, processors=last))
    logging.basicConfig(handlers=[handler], level=level, force=True)
    logging.captureWarnings(capture=True)
    for name in LIBRARIES:
        theirs = logging.getLogger(name)
        theirs.handlers.clear()  # FastStream writes past the root, in colours
        theirs.propagate = True
        theirs.setLevel(max(level, logging.ERROR))
    for name in ("uvicorn.access", "httpx", "httpcore"):  # they log addresses, and an address may hold a personal link
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


class RepeatFilter(logging.Filter):
    """Drops repeated sentences of Kafka's clients: without a broker they log a hundred lines a second."""

    def __init__(self) -> None:
        super().__init__()
        self._logged: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Let a sentence of a library pass once in REPEAT seconds, and everything else always."""
        if record.name.partition(".")[0] not in LIBRARIES:
            return True
        now, sentence = time.monotonic(), (record.name, record.getMessage())
        self._logged = {each: at for each, at in self._logged.items() if now - at < REPEAT}
        new = sentence not in self._logged
        self._logged.setdefault(sentence, now)
        return new


def _trace(_: Any, __: str, line: EventDict) -> EventDict:
    span = trace.get_current_span().get_span_context()
    return {**line, "trace": f"{span.trace_id:032x}"} if span.is_valid else line


def _exception(_: Any, __: str, line: EventDict) -> EventDict:
    """Replace the exception by types and frames, and a sentence that quotes it, as libraries log, by its type."""
    given = line.pop("exc_info", None)
    error = given if isinstance(given, BaseException) else given[1] if isinstance(given, tuple) else None
    if error is None:
        return line
    logger, sentence = str(line.get("logger", "")), str(line["event"])
    if logger.partition(".")[0] not in _OURS or (str(error) and str(error) in sentence):
        line["event"] = f"{type(error).__name__} in {logger}"
    return {**line, "exception": list(_causes(error))}


def _causes(error: BaseException | None) -> Iterator[dict[str, Any]]:
    """Yield the exception and its causes, the last first."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        kind = type(error)
        frames = [
            f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)
        ]
        yield {"type": f"{kind.__module__}.{kind.__qualname__}", "frames": frames[-DEEPEST:]}
        if isinstance(error, BaseExceptionGroup):
            for each in error.exceptions:
                yield from _causes(each)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _short(_: Any, __: str, line: EventDict) -> EventDict:
    return {name: value[:LONGEST] if isinstance(value, str) else value for name, value in line.items()}
