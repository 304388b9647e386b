"""Events of notifications: a message was sent, or failed. Neither the address nor the text is in them."""

from services.contracts.base import Code, EventData, Id


class MessageSent(EventData):
    """The mail server accepted a message for the worker. `about` names the template, `reference` the group or survey."""

    type = "it.amalavoro.notifications.message.sent.v1"
    topic = "ama.notifications"
    person = "worker"
    worker: Id
    about: Code
    reference: Id


class MessageFailed(EventData):
    """A message was given up, for the reason named by a stable code."""

    type = "it.amalavoro.notifications.message.failed.v1"
    topic = "ama.notifications"
    person = "worker"
    worker: Id
    about: Code
    reference: Id
    reason: Code
