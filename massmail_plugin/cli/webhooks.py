"""`flask massmail webhooks read`: what kept requests of providers say, without the database. Nothing is committed."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
from flask.cli import AppGroup

from massmail_plugin.cli.group import json_option, mounted, print_table
from massmail_plugin.errors import BadRequest
from massmail_plugin.providers.event_readers import ALIASES
from massmail_plugin.providers.request_files import Answered, answered, reader_of, request_file
from massmail_plugin.providers.showing import event_shown

webhooks = AppGroup("webhooks", help="What providers post: read kept requests.")
paths_argument = click.argument(
    "paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="PATH..."
)


@webhooks.command()
@paths_argument
@json_option
@click.option("--no-verify", is_flag=True, help="Do not check signatures. There is nothing like it over HTTP.")
@click.option("--key", "keys", multiple=True, metavar="PROVIDER=KEY", help="What its requests are checked with.")
@click.option("--url", default="", help="The address the requests were posted to; Mandrill signs it.")
def read(paths: tuple[Path, ...], as_json: bool, no_verify: bool, keys: tuple[str, ...], url: str) -> None:
    """Read requests kept as files: each PATH is a file, or a folder of *.json files.

    A file holds provider, content_type, headers, body_encoding and body. With --json, one line for each: file, http
    (the status it would be answered), events, and problem where it is refused. Without a key for its provider, or
    --no-verify, every request is refused. Signatures must be fresh: --key is for requests of the last minutes.
    """
    secrets = _secrets(keys)
    rows = [_row(path, url, secrets, verify=not no_verify) for path in _files(paths)]
    if as_json:
        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False))
    else:
        print_table(_lines(rows), empty="There are no requests in these files.")


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        yield from sorted(path.glob("*.json")) if path.is_dir() else (path,)


def _secrets(keys: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in keys:
        provider, equals, key = one.partition("=")
        if not equals:
            raise BadRequest(f"“{one}” should be PROVIDER=KEY.")
        reader = reader_of(mounted().event_readers, provider)
        found[reader.name] = f"{found.get(reader.name, '')}\n{key}"
    return found


def _row(path: Path, url: str, secrets: dict[str, str], *, verify: bool) -> dict[str, Any]:
    try:
        kept = request_file(path, mounted().clock(), url)
        reader = reader_of(mounted().event_readers, kept.provider)
    except BadRequest as error:
        return _shown(path, Answered(400, problem=str(error)))
    secret = secrets.get(ALIASES.get(kept.provider, kept.provider), "")
    return _shown(path, answered(reader, kept.request, secret, verify=verify))


def _shown(path: Path, answer: Answered) -> dict[str, Any]:
    shown = {"file": path.name, "http": answer.http, "events": [event_shown(event) for event in answer.events]}
    return {**shown, "problem": answer.problem} if answer.problem else shown


def _lines(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "File": row["file"],
            "HTTP": row["http"],
            "Events": ", ".join(event["event"] for event in row["events"]) or row.get("problem", ""),
        }
        for row in rows
    ]
