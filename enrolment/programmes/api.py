"""Routes of the published programme: the version in force, and a changed file."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from enrolment.programmes import commands as do
from enrolment.programmes import queries
from services.contracts.programmes import ProgrammePublished
from services.identity.auth import Role, Who, allowed
from services.programmes import LARGEST, sent_file
from services.web import Body
from services.web.run import Run

router = APIRouter()
Administrator = Annotated[Who, allowed(Role.ADMINISTRATOR)]


def _documents(request: Request) -> Any:
    return request.app.state.service.store


class File(Body):
    """A programme's file, as it lies in the folder."""

    name: str = Field(
        min_length=1, max_length=100, pattern=r"^[\w.-]+$", description="its name, for the sentence about a mistake"
    )
    text: str = Field(min_length=1, max_length=LARGEST, description="TOML, at most 64 KB")


class Applied(BaseModel):
    """The version in force by now, and whether the file changed something."""

    version: int
    changed: bool


@router.get("/programme")
async def programme(run: Run, who: Administrator) -> ProgrammePublished:
    """The published programme in force, with its retired entries. 404 no-such-programme."""
    return await run.query(queries.published)


@router.put("/programme")
async def apply(body: File, run: Run, who: Administrator, documents: Annotated[Any, Depends(_documents)]) -> Applied:
    """Publish what the file changes. Every service follows within seconds; what is scheduled or planned stays. 422 wrong-programme-file."""
    lived_in = await queries.lived_in(documents, who.programme)
    # In a thread, before the transaction: other requests get their turns meanwhile.
    file = await asyncio.to_thread(sent_file, body.text, body.name)
    return Applied(**await run(do.apply_file, do.ApplyFile(file=file, lived_in=lived_in)))
