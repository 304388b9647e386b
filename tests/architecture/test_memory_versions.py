"""Every module that changes what consumers remember makes a new version of it."""

import re
from pathlib import Path

# Modules that change from outside what consumers remember, and what makes a new version of it.
CHANGING = {
    "services/events/inbox/dead_letters.py": "fence(store",
    "services/events/inbox/generations.py": "fence(store",
    "services/events/inbox/assignment.py": '["offsets"].delete_many(unread)',  # what is made again has another fence
    "services/store/unit.py": "self.fence.give()",
    "services/operations/backup/purge.py": "",  # of a restore, which fences when it is complete
    "services/operations/backup/restore.py": "fence(store)",
}
CHANGES = re.compile(
    r"""\["(marks|parked|dismissed|erased)"\]\.(update|delete|replace|insert|find_one_and)|write\(\s*"(marks|parked|dismissed|erased)\b"""
    r"""|ErasedPerson\(.*\.add\(\)\]\)|\berasure\(programme|purge\.forget\("""
)


def test_every_module_that_changes_what_is_remembered_is_known_and_makes_a_new_version() -> None:
    root = Path(__file__).parents[2]
    sources = {str(each.relative_to(root)): each.read_text() for each in (root / "services").rglob("*.py")}
    found = {name for name, source in sources.items() if CHANGES.search(source.replace("def erasure(", ""))}
    assert found == CHANGING.keys()
    assert [name for name, fences in CHANGING.items() if fences not in sources[name]] == []
