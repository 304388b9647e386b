"""Errors of the engines, for an operator. Invariant: each text is one whole sentence that says what to do."""


class EngineError(Exception):
    """An embedded engine cannot be started or used; the text is for the operator."""


class DataHeld(EngineError):
    """The data folder belongs to another living process."""


class LibraryMissing(EngineError):
    """mongod needs a system library that this machine does not have."""


class FetchFailed(EngineError):
    """A jar of Kafka could not be fetched, or is not the one that was published."""
