"""What an author may put into a template, for the picker. The template screen enters; nothing is committed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from massmail_plugin.composing.known_names import Name, known_names
from massmail_plugin.contracts import ContactSource, Host


@dataclass(frozen=True)
class MergeField:
    """One entry of the picker; `insert` is what goes to the cursor, `path` the name alone."""

    path: str
    label: str
    group: str
    example: str
    insert: str


def merge_fields(host: Host, source: ContactSource) -> list[MergeField]:
    """Every name a template for `source` may use, in the order of the screen: contact, related rows, mail."""
    found = [field for root, name in known_names(source).items() for field in _fields(root, name)]
    order = {"Contact": 0, "Related rows": 1, "Mail": 2}
    return sorted(found, key=lambda field: order[field.group])


def _fields(root: str, name: Name) -> Iterator[MergeField]:
    for path, leaf in name.leaves(root):
        if leaf.row is not None:
            yield _rows(path, leaf.label, leaf.row)
        else:
            group = "Contact" if root == "contact" else "Mail"
            yield MergeField(path, leaf.label, group, _shown(leaf.example), f"{{{{ {path} }}}}")


def _rows(path: str, label: str, row: Name) -> MergeField:
    cells = " ".join(f"{{{{ item.{name} }}}}" for name in row.parts)
    example = " ".join(_shown(part.example) for part in row.parts.values())
    insert = f"{{% for item in {path} %}}{cells}\n{{% endfor %}}"
    return MergeField(path, label, "Related rows", example, insert)


def _shown(example: Any) -> str:
    return str(example).lower() if isinstance(example, bool) else str(example)
