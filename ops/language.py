"""Checks the language of code and documents: `python ops/language.py [PATH ...]`. Exit status 1 and one line for each finding.

Refused are docstrings that open with a question word or say next to nothing, long sentences in documents, and names that were replaced.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
OPENINGS = {"who", "what", "whether", "of", "how", "where", "that"}
FEWEST = 4  # words of a docstring; fewer only rephrase the name
MOST = 30  # words of a sentence in a document
REPLACED = {
    "ailing": "failing",
    "Beginnings": "RestartPolicy",
    "Consumption": "ConsumerRunner",
    "Deposed": "LeaseLost",
    "doom": "failure reason",
    "doomed": "failed",
    "hole": "gap",
    "holes": "gaps",
    "House": "AllServices",
    "is_passing": "is_transient",
    "recalling": "replay",
    "Shelf": "ReadModels",
    "spoiled": "deferred",
    "Spoiled": "Deferred",
    "Surroundings": "Environment",
    "Turn": "BatchResult",
    "voice": "events",
}
_OLD = re.compile(rf"(?<![\w-])({'|'.join(REPLACED)})(?![\w-])")
_KEPT = re.compile(r"language: kept")  # on a line that must name an old name


def findings(path: Path) -> Iterator[str]:
    """Every fault of one file, as `line: sentence`."""
    text = path.read_text()
    if path != Path(__file__):
        for number, line in enumerate(text.splitlines(), 1):
            if (old := _OLD.search(line)) and not _KEPT.search(line):
                yield f"{number}: say {REPLACED[old[1]]} instead of {old[1]}"
    yield from _docstrings(text) if path.suffix == ".py" else _sentences(text)


def _docstrings(text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if (docstring := ast.get_docstring(node)) is None:
            continue
        number, words = node.body[0].lineno, re.findall(r"[\w'`./-]+", docstring)
        if not words or words[0].lower() in OPENINGS:
            yield f"{number}: a docstring opens with a verb or a noun, not with {words[0] if words else 'nothing'}"
        elif len(words) < FEWEST and not isinstance(node, ast.Module):
            yield f"{number}: a docstring of {len(words)} words says no more than the name: {docstring!r}"


def _sentences(text: str) -> Iterator[str]:
    """Long sentences of a Markdown document. Code is left out; a cell of a table and an item of a list stand alone."""
    text = re.sub(r"^```.*?^```", lambda block: "\n" * block[0].count("\n"), text, flags=re.DOTALL | re.MULTILINE)
    number = 1
    for block in re.split(r"(\n\s*\n|\n(?=\s*(?:[-*|#]|\d+\.) ?))", text):
        flat = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", re.sub(r"`[^`]*`", "code", block))
        for sentence in re.split(r"(?<=[.!?])\s|\|", flat):
            words = re.findall(r"[^\W\d_][\w'-]*", sentence)
            if len(words) > MOST:
                yield f"{number}: a sentence of {len(words)} words: {' '.join(words[:8])} …"
        number += block.count("\n")


def main(given: list[str]) -> int:
    """The number of findings, at most 1, over the given paths or all that git tracks."""
    command = ["git", "ls-files", "--", *(given or ["*.py", "*.md"])]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    found = 0
    for name in listed:
        if Path(name).suffix in {".py", ".md"}:
            for each in findings(ROOT / name):
                sys.stdout.write(f"{name}:{each}\n")
                found += 1
    return min(found, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
