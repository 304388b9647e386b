"""The floor of the pages gives the same bytes, and renders each text of them."""

import pytest
from jinja2 import Environment

from bench.bare_page import template_of

PAGES = [
    "<p>Ada &amp; Bruno</p>\n<p>l&#39;8 dicembre</p>",
    "<p>l'8 dicembre, &agrave;</p>\n",
    "<td>{{ 7 * 7 }}</td><td>{% x %}</td><td>{# y #}</td>",
    "<script>if (a > 1) { b() }</script><p> </p>",
]


@pytest.mark.parametrize("page", PAGES)
def test_the_template_gives_the_page_again(page: str) -> None:
    template = template_of(page)
    made = Environment(autoescape=True, keep_trailing_newline=True).from_string(template.source)
    assert made.render(texts=template.texts) == page


def test_each_text_is_a_value_and_no_part_of_the_template() -> None:
    template = template_of(PAGES[0])
    assert template.texts == ["Ada & Bruno", "l'8 dicembre"]
    assert "Ada" not in template.source
