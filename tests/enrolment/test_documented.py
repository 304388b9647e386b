"""The requests that the documents show are ones that enrolment takes, in the programme that they name."""

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from enrolment.api import Act, Decision, Referral, Withdrawal
from services import programmes
from services.web.readable import parse

DOCS = Path(__file__).parents[2] / "docs"
BODIES: dict[str, type[BaseModel]] = {
    "referrals": Referral,
    "consents": Decision,
    "admission": Act,
    "withdrawal": Withdrawal,
}
# `post workers/01a2…/consents '{…}'` and `call POST enrolment/referrals '{…}'`, also over two lines
REQUEST = re.compile(r"(?:post|POST) (?:enrolment/)?(?:workers/[^/\s]+/)?([a-z]+) '(\{.*?\})'", re.DOTALL)
SHOWN = [found for page in sorted(DOCS.rglob("*.md")) for found in REQUEST.findall(page.read_text())]
RULES = programmes.load_all()["monza-brianza"]


def test_the_documents_show_some() -> None:
    assert {path for path, _ in SHOWN} == {"referrals", "consents", "admission"}
    assert len(SHOWN) >= 4


@pytest.mark.parametrize(("path", "text"), SHOWN)
def test_a_request_in_a_document_is_one_that_is_taken(path: str, text: str) -> None:
    body: Any = BODIES[path].model_validate(parse(text.encode()))
    if isinstance(body, Decision):
        assert RULES.notice_of(body.notice) is not None
    if isinstance(body, Referral):
        partner = RULES.partner(str(body.partner))
        assert partner is not None
        assert partner.may_refer
        assert body.profile is None or set(body.profile.slots) <= {each.id for each in RULES.slots}
