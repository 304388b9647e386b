"""Checks the language of code and documents: `python ops/language.py [PATH ...]`. Exit status 1 and one line for each finding.

Refused are names that were replaced, docstrings that open with a question word or say next to nothing, and long sentences in documents.
Invariant: every text that git tracks is read, unless paths are given; a line is exempt only by the words `language: kept`.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
READ = {".cjs", ".css", ".html", ".js", ".md", ".mjs", ".po", ".py", ".sh", ".toml", ".txt", ".yaml", ".yml"}
EXEMPT = {"ops/language.py", "tests/architecture/test_language.py"}  # both must name what is refused
OPENINGS = {"who", "what", "whether", "of", "how", "where", "that"}
FEWEST, MOST = 4, 30  # words: of a docstring, since fewer only rephrase the name; of a sentence in a document
SENTENCE = 4  # words of an identifier; a longer one is a sentence, in which ordinary English is right
COMPOUND = {"dead", "ascii"}  # dead_letters, ascii_letters
KEPT, LETTER = "language: kept", "record, outbox row, message or dead letter"
WORDS = {  # in prose, strings and code alike
    "ailing": "failing", "doom": "failure reason", "doomed": "failed", "hole": "gap", "holes": "gaps", "spoiled": "deferred",
    "letter": LETTER, "letters": LETTER, "voice": "events",
}  # fmt: skip
NAMES = WORDS | {"beginnings": "restart policy", "steady": "stable"}  # words of an identifier or of a file's name
EXACT = {  # whole identifiers
    "Beginnings": "RestartPolicy", "Consumption": "ConsumerRunner", "Deposed": "LeaseLost", "House": "AllServices", "Letter": LETTER,
    "Shelf": "ReadModels", "SigningIn": "SignIn", "Spoiled": "Deferred", "Standing": "one name for each meaning",
    "Surroundings": "Environment", "Turn": "BatchResult", "is_passing": "is_transient", "passes": "is_transient",
}  # fmt: skip
FILES = NAMES | {  # modules
    "asking": "services_client", "desk": "consumer state", "doors": "run", "forgetting": "erasure", "passing": "errors",
    "rebuilding": "rebuild", "recalling": "replay", "republishing": "republish", "signing_in": "sign_in", "surroundings": "environment",
    "trusting": "issuer_keys", "watching": "gauges",
}  # fmt: skip
NOT_DEAD = r"(?<!\bdead )(?<!\bDead )(?<!lower-case )"
PROSE = re.compile(rf"(?<![\w#-]){NOT_DEAD}({'|'.join([*WORDS, 'Letters?', 'Spoiled', 'Voice'])})(?![\w-])")
NAME = re.compile(rf"\b({'|'.join(EXACT)})\b")
FILE = re.compile(rf"(?<![\w-])({'|'.join(FILES)})\.(?:py|md|html)\b")


def findings(path: Path) -> Iterator[str]:
    """Every fault of one file, as `line: sentence`."""
    text, code = path.read_text(), path.suffix == ".py"
    lines = [*text.splitlines(), ""]
    if path.as_posix().removeprefix(f"{ROOT.as_posix()}/") not in EXEMPT:
        named = instead(path.stem) or FILES.get(path.stem) if path.suffix in {".py", ".html"} else None
        old = {*replaced(lines), *(identifiers(text) if code else ()), *({(1, path.name, named)} if named else ())}
        yield from (f"{at}: say {new} instead of {name}" for at, name, new in sorted(old) if KEPT not in lines[at - 1])
    yield from docstrings(text) if code else sentences(text) if path.suffix == ".md" else ()


def instead(name: str) -> str | None:
    """The replacement of an identifier, or None when the identifier may stay."""
    words = name.lower().strip("_").split("_")
    table = WORDS if len(words) > SENTENCE else NAMES
    old = [each for before, each in zip(["", *words], words, strict=False) if each in table and before not in COMPOUND]
    return EXACT.get(name) or (table[old[0]] if old else None)


def replaced(lines: list[str]) -> Iterator[tuple[int, str, str]]:
    """Replaced words and files in any text, and replaced names in its code spans: line, old, new."""
    for number, line in enumerate(lines, 1):
        code = " ".join(re.findall(r"`([^`]*)`", line))
        for pattern, table, part in ((PROSE, WORDS, line), (FILE, FILES, line), (NAME, EXACT, code)):
            for found in pattern.finditer(part):
                yield number, found[1], table.get(found[1]) or table[found[1].lower()]


def identifiers(text: str) -> Iterator[tuple[int, str, str]]:
    """Replaced identifiers and imported modules of a Python file: line, old, new."""
    for node in ast.walk(ast.parse(text)):
        fields = [getattr(node, field, None) for field in ("id", "attr", "arg", "name", "asname", "module")]
        module = isinstance(node, ast.alias | ast.ImportFrom)
        for name in (part for each in fields if isinstance(each, str) for part in each.split(".")):
            if new := instead(name) or (FILES.get(name) if module else None):
                yield getattr(node, "lineno", 1), name, new


def docstrings(text: str) -> Iterator[str]:
    """Docstrings that open with a question word, or that say too little."""
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


def sentences(text: str) -> Iterator[str]:
    """Long sentences of a document. Code blocks are left out; a cell of a table and an item of a list stand alone."""
    text = re.sub(r"^```.*?^```", lambda block: "\n" * block[0].count("\n"), text, flags=re.DOTALL | re.MULTILINE)
    number = 1
    for block in re.split(r"(\n\s*\n|\n(?=\s*(?:[-*|#]|\d+\.) ?))", text):
        flat = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", re.sub(r"`[^`]*`", "code", block))
        for sentence in re.split(r"(?<=[.!?])[)*_\"”]*\s|\|", flat):
            words = re.findall(r"[^\W\d_][\w'-]*", sentence)
            if len(words) > MOST:
                yield f"{number}: a sentence of {len(words)} words: {' '.join(words[:8])} …"
        number += block.count("\n")


def main(given: list[str]) -> int:
    """The number of findings, at most 1, over the given paths or all that git tracks."""
    command = ["git", "ls-files", "-z", "--", *given]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    paths = [ROOT / name for name in listed if Path(name).suffix in READ]
    found = [f"{path.relative_to(ROOT)}:{each}\n" for path in paths if path.exists() for each in findings(path)]
    sys.stdout.writelines(found)
    return min(len(found), 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
