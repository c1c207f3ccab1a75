"""Writes docs/configuration.md from the code: `python -m tests.docs.settings_page`."""

from dataclasses import fields
from pathlib import Path

from massmail_plugin.config import Config

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"

HEAD = """# Configuration

Settings of the host application, read once when the plugin is mounted. All of them can be given as text, so
`app.config.from_prefixed_env()` works: `FLASK_MASSMAIL_BASE_URL=https://crm.example.org`. A key that is not known is a
warning with the nearest name; a value that cannot work stops the start with a sentence.

| key | default | meaning |
|---|---|---|
"""


def page() -> str:
    """The page as it must be."""
    rows = [f"| `MASSMAIL_{f.name.upper()}` | {shown(f.default)} | {f.metadata['doc']} |\n" for f in fields(Config)]
    return HEAD + "".join(rows)


def shown(default: object) -> str:
    return f"`{default}`" if default not in ("", ()) else "–"


if __name__ == "__main__":
    PAGE.write_text(page())
