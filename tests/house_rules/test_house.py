"""The rules of the house that can be read off the files. The order of the floors is held by `lint-imports`."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "massmail_plugin"
MODULES = sorted(PACKAGE.rglob("*.py"))
TEMPLATES = sorted((PACKAGE / "templates").rglob("*.html"))
DRAWERS = {"utils", "util", "common", "shared", "helpers", "helper", "core", "manager", "misc"}

modules = pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
templates = pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)


def imports(module: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


@modules
def test_there_are_no_drawers(module):
    assert not DRAWERS & {module.stem, *module.relative_to(PACKAGE).parts}


@modules
def test_only_the_jobs_room_knows_rq(module):
    assert "rq" not in imports(module) or module.parent.name == "jobs"


@modules
def test_time_comes_from_the_hosts_clock(module):
    """The default clock is made in extension.py; leases.py measures how far the machine's own clock is wrong."""
    if module.name not in ("extension.py", "leases.py"):
        assert not re.search(r"\b(datetime\.(now|utcnow)|date\.today|time\.time)\(", module.read_text())


@modules
def test_a_module_is_no_longer_than_a_person_reads_at_once(module):
    assert len(module.read_text().splitlines()) <= 400


@modules
def test_what_a_room_offers_is_sorted(module):
    tree = ast.parse(module.read_text())
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            names = ast.literal_eval(node.value)
            assert names == sorted(names, key=lambda name: (not name.isupper(), not name[0].isupper(), name))


def test_no_room_is_empty():
    for room in (folder for folder in PACKAGE.iterdir() if (folder / "__init__.py").exists()):
        assert (
            any(re.search(r"^\s*def ", file.read_text(), re.M) for file in room.rglob("*.py")) or room.name == "models"
        )


@templates
def test_pages_need_no_inline_script_handler_or_style(template):
    text = template.read_text()
    markup = re.sub(r"\{[%{#].*?[%}#]\}", "", text, flags=re.DOTALL)
    assert not re.search(r"<[a-z][^>]*\s(on[a-z]+|style)\s*=", markup)
    assert not re.search(r"<script(?![^>]*\b(src|nonce)\b)(?![^>]*nonce_attribute)[^>]*>", text)
    assert "|safe" not in text.replace(" ", "")


@templates
def test_pages_load_nothing_from_other_hosts(template):
    assert not re.search(r"(src|href)\s*=\s*[\"']?(https?:)?//", template.read_text())
