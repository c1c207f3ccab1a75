"""Writes the next revision from what the models have become: `python -m tests.migrations.draft "What changes"`.

To make the first revision again, delete its file before.
"""

import subprocess
import sys
from pathlib import Path

from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from massmail_plugin.upkeep.schema import configuration


def draft(message: str) -> Path:
    """Upgrade an empty database as far as the history goes, compare it with the models, write the difference."""
    with create_engine("sqlite://").begin() as connection:
        config = configuration(connection)
        known = len(list(ScriptDirectory.from_config(config).walk_revisions()))
        config.attributes["render_as_batch"] = known > 0
        if known:
            command.upgrade(config, "head")
        made = command.revision(config, message, autogenerate=True, rev_id=f"{known + 1:04}")
    path = Path(made.path)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.strip().startswith("# ###")))
    for order in (["format", "--quiet"], ["check", "--fix", "--quiet"]):
        subprocess.run([sys.executable, "-m", "ruff", *order, path], check=True)
    return path


if __name__ == "__main__":
    print(draft(" ".join(sys.argv[1:]) or "Changed tables"))
