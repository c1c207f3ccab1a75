"""The docs say what the code says."""

import re
from pathlib import Path

import pytest

import massmail_plugin
from massmail_plugin.contracts import Hooks
from massmail_plugin.vocabulary import Act

from .settings_page import PAGE, page

ROOT = Path(__file__).parents[2]
DOCS = sorted([*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")])
GUIDE = (ROOT / "docs" / "host-guide.md").read_text()


def test_the_settings_page_is_what_the_code_says():
    assert PAGE.read_text() == page(), "run: python -m tests.docs.settings_page"


@pytest.mark.parametrize("name", sorted(set(Hooks.__dataclass_fields__) - {"actions", "conditions", "may"}))
def test_every_hook_is_in_the_host_guide(name):
    assert f"`{name}(" in GUIDE


@pytest.mark.parametrize("act", list(Act))
def test_every_act_is_in_the_host_guide(act):
    assert f"`{act.value}`" in GUIDE


def test_public_names_are_sorted_and_there():
    assert massmail_plugin.__all__ == sorted(massmail_plugin.__all__)
    assert all(hasattr(massmail_plugin, name) for name in massmail_plugin.__all__)


@pytest.mark.parametrize("document", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_the_documents_lead_somewhere(document):
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", document.read_text()):
        if "://" not in target:
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


@pytest.mark.parametrize("document", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_python_in_the_documents_can_be_read(document):
    for sample in re.findall(r"```python\n(.*?)```", document.read_text(), re.DOTALL):
        compile(sample, str(document), "exec")
