"""The ways in which the delivery of one message fails, whichever channel it takes. A text names a code, and never an address."""


class TransientFailure(Exception):
    """The message did not go out; a later attempt may succeed."""


class PermanentFailure(Exception):
    """The mail server or the gateway refused this message for good."""
