"""Published promises: the frozen schema and the examples of every event type, as files beside the code.

Invariant: a frozen schema is only ever replaced by one that is readable both ways with it, and an example is never
rewritten, so that the first record of a type ever shown stays readable.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson

from services.contracts.base import EventData, Restricted, catalogue
from services.contracts.evolution import breaks
from services.contracts.sampling import record, sealed
from services.contracts.schema import Schema, schema_of

HERE = Path(__file__).parent


class Incompatible(Exception):
    """A change breaks a frozen schema; each of the `breaks` is one sentence. Nothing was written."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__("; ".join(reasons))
        self.breaks = reasons


@dataclass(frozen=True)
class Frozen:
    """A folder with `schemas/{type}.json`, `examples/{type}.json` (the record as it is on the topic) and, of
    restricted types, `examples/{type}.opened.json` (the same with its payload decrypted)."""

    folder: Path = HERE

    def types(self) -> set[str]:
        """Return the names of the types that have a frozen schema."""
        return {path.stem for path in self.folder.glob("schemas/*.json")}

    def schema(self, name: str) -> Schema | None:
        """Return the frozen schema of a type; None if it was never frozen."""
        return _read(self.folder / "schemas" / f"{name}.json")

    def example(self, name: str) -> Schema | None:
        """Return the example record of a type; that of a restricted type has an encrypted payload."""
        return _read(self.folder / "examples" / f"{name}.json")

    def opened(self, kind: type[EventData]) -> Schema | None:
        """Return the example record with a payload that can be read without a key."""
        return self.example(f"{kind.type}.opened" if issubclass(kind, Restricted) else kind.type)

    def freeze(self, kinds: Iterable[type[EventData]]) -> list[str]:
        """Write what is new or compatibly changed; return one line for each. Raises Incompatible, having written nothing."""
        kinds = list(kinds)
        # All are checked before one is written, so that a broken type never leaves half of a change.
        if reasons := [reason for kind in kinds for reason in self.broken(kind)]:
            raise Incompatible(reasons)
        return [line for kind in kinds for line in self._write(kind)]

    def export(self, kinds: Iterable[type[EventData]], promised: "Frozen") -> int:
        """Write the schemas of the code, and the promised examples (made ones where there is none); returns how many
        types."""
        kinds = list(kinds)
        for kind in kinds:
            _save(self.folder / "schemas" / f"{kind.type}.json", schema_of(kind))
            opened = promised.opened(kind) or record(kind)
            self._save_examples(kind, opened, promised.example(kind.type) or sealed(kind, opened))
        return len(kinds)

    def broken(self, kind: type[EventData]) -> Iterator[str]:
        """Yield each reason why the class may not replace its frozen schema."""
        if (old := self.schema(kind.type)) is not None:
            yield from (f"{kind.type}: {reason}" for reason in breaks(old, schema_of(kind)))

    def _write(self, kind: type[EventData]) -> Iterator[str]:
        old, new = self.schema(kind.type), schema_of(kind)
        if old != new:
            _save(self.folder / "schemas" / f"{kind.type}.json", new)
            yield f"{kind.type}: " + ("frozen" if old is None else "frozen schema brought up to date")
        if self.opened(kind) is None:
            opened = record(kind)
            self._save_examples(kind, opened, sealed(kind, opened))
            yield f"{kind.type}: example made; put values into it that a reader recognises"

    def _save_examples(self, kind: type[EventData], opened: Schema, on_topic: Schema) -> None:
        _save(self.folder / "examples" / f"{kind.type}.json", on_topic)
        if issubclass(kind, Restricted):
            _save(self.folder / "examples" / f"{kind.type}.opened.json", opened)


def published() -> dict[str, type[EventData]]:
    """Return the types of the published language itself, without those that a plug-in or a test declared."""
    own = __package__ + "."
    return {name: kind for name, kind in sorted(catalogue().items()) if kind.__module__.startswith(own)}


def _read(path: Path) -> Schema | None:
    if not path.exists():
        return None
    body: Schema = orjson.loads(path.read_bytes())
    return body


def _save(path: Path, body: Schema) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(orjson.dumps(body, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
