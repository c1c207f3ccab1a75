"""One import in a process of its own: a database, a file, and the name of the list that is made for it. Commits."""

import re
import sys
from pathlib import Path
from typing import Any

from bench.audience.crm import SOURCE, create_app
from bench.audience.world import SECRET_KEY
from bench.children import work_when_told
from bench.host import context
from massmail_plugin.audience import imports
from massmail_plugin.contracts import Host
from massmail_plugin.models import List
from massmail_plugin.vocabulary import ImportPurpose


def _settings(url: str, folder: str) -> dict[str, Any]:
    return {
        "SECRET_KEY": SECRET_KEY,
        "SQLALCHEMY_DATABASE_URI": url,
        "MASSMAIL_BASE_URL": "https://crm.bench.example",
        "MASSMAIL_SECRET_KEYS": [SECRET_KEY],
        "MASSMAIL_REDIS_URL": "redis://127.0.0.1:1/0",
        "MASSMAIL_STATE_DIR": f"{folder}/state",
    }


def _import(host: Host, file: Path, name: str) -> dict[str, Any]:
    list_ = List(name=name, created_at=host.clock())
    host.session.add(list_)
    host.session.flush()
    with file.open("rb") as stream:
        row = imports.bring(
            host, stream, purpose=ImportPurpose.SUBSCRIBE, source=host.source(SOURCE), list_id=list_.id, by="bench"
        )
    imports.start(host, row, dry_run=False)
    host.session.commit()
    done = imports.complete(host, row.id)
    return {"state": done.state, "fault": done.fault, "changed": 0, **done.counts, "peak_mb": _peak_mb()}


def _peak_mb() -> float:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found.group(1)) / 1024 if found else 0.0


if __name__ == "__main__":
    url, path, name, folder = sys.argv[1:]
    with context(create_app(_settings(url, folder))) as host:
        work_when_told(lambda: _import(host, Path(path), name))
