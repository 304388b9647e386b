"""A form that is sent twice with its key is one command: the key, the route and the body reach the store of answers."""

from types import SimpleNamespace
from typing import Annotated, Any

from fastapi import FastAPI, Request, Response

from services import web
from services.identity.auth import Role, Who, allowed
from services.kernel import Command
from services.store.answers import Repeat
from services.store.work import Work
from services.web.frame import Field, Form, page_router
from services.web.run import Run
from tests.helpers.callers import client_as

FORM = Form(Field("name", "Name"))


async def nothing(command: Command, work: Work) -> None:
    """Change nothing: the command is only recorded."""


class Recorder:
    """The place of a service where commands run; it notes what makes a repeat of each."""

    def __init__(self) -> None:
        self.repeats = list[Repeat | None]()

    def on_behalf_of(self, subject: str, role: Role, name: str) -> "Recorder":
        return self

    async def run(
        self, handler: Any, command: Command, rules: Any, correlation: str, *, repeat: Repeat | None, expects: Any
    ) -> None:
        self.repeats.append(repeat)


def build(recorder: Recorder) -> FastAPI:
    pages = page_router()

    @pages.post("/persone/nuova")
    async def added(
        request: Request, run: Run, who: Annotated[Who, allowed(Role.OPERATOR)], key: bool = True
    ) -> Response:
        """Run a command for a form."""
        form = await FORM.filled(request)
        await run.once(form.once if key else None)(nothing, Command())
        return Response(form.values["name"])

    app = FastAPI(docs_url=None, redoc_url=None)
    app.state.service = SimpleNamespace(commanding=recorder, rules={"jobs2": None})
    app.include_router(pages)
    web.install(app)
    return app


async def sent(recorder: Recorder, address: str = "/persone/nuova", **typed: str) -> Repeat | None:
    answer = await client_as(build(recorder), Role.OPERATOR, "jobs2").post(address, data=typed)
    assert (answer.status_code, answer.text) == (200, typed["name"])
    return recorder.repeats[-1]


async def test_the_same_form_with_the_same_key_is_a_repeat_and_another_form_is_not() -> None:
    recorder, key = Recorder(), "k" * 22
    first, again = await sent(recorder, name="Ada", once=key), await sent(recorder, name="Ada", once=key)
    assert first is not None
    assert first == again
    assert await sent(recorder, name="Eva", once=key) != first
    assert await sent(recorder, name="Ada", once="o" * 22) != first


async def test_a_form_without_a_key_has_one_of_its_own_and_a_command_without_a_key_is_never_a_repeat() -> None:
    recorder = Recorder()
    assert await sent(recorder, name="Ada") != await sent(recorder, name="Ada")
    assert await sent(recorder, "/persone/nuova?key=false", name="Ada") is None
