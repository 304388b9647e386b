"""Names and queries in the form in which they are compared: without accents, apostrophes, case and punctuation.

Invariant: a name has the same words however an office types it: `Muggiò`, `Muggio'` and `MUGGIO`; `D'Angelo`, `D Angelo` and `Dangelo`.
"""

import re
import unicodedata

APOSTROPHES = re.compile("['`\u2019\u2018\u02bc\u00b4]")  # typed, typographic, and accents that stand alone
WORD = re.compile(r"[^\W_]+")
# Characters that Unicode does not take apart into a plain one and a mark.
PLAIN = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ð": "d", "\u0131": "i", "æ": "ae", "œ": "oe", "þ": "th"})


def folded(text: str) -> str:
    """Return the text in lower case, without the marks of its characters."""
    apart = unicodedata.normalize("NFKD", text.casefold().translate(PLAIN))
    return "".join(each for each in apart if unicodedata.category(each) != "Mn")


def words_of(text: str) -> list[str]:
    """Return the words of a query, in order. An apostrophe joins what stands beside it."""
    # Before folding: an acute accent that stands alone would become a blank.
    return WORD.findall(folded(APOSTROPHES.sub("", text)))


def parts_of(name: str) -> frozenset[str]:
    """Return the words by whose beginnings a name is found: `De Luca` by `de`, `luca` and `deluca`."""
    joined, apart = words_of(name), words_of(APOSTROPHES.sub(" ", name))
    return frozenset({*joined, *apart, "".join(joined)} - {""})
