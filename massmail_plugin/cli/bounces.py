"""`flask massmail bounces read`: what kept mails say, without the database. Nothing is committed."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click
from flask.cli import AppGroup

from massmail_plugin.cli.group import json_option, mounted, print_table
from massmail_plugin.config import Config
from massmail_plugin.errors import BadLink
from massmail_plugin.feedback.reports import Report, ReportedRecipient, read_report
from massmail_plugin.signed_links import read_message_id_field, read_message_token, read_return_path

bounces = AppGroup("bounces", help="Mails that came back.")
paths_argument = click.argument(
    "paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="PATH..."
)


@bounces.command()
@paths_argument
@json_option
def read(paths: tuple[Path, ...], as_json: bool) -> None:
    """Read mails kept as files and say what each is; nothing is stored.

    PATH is a file with one mail, a folder with *.eml files (or with nothing but mails), or a Maildir. With --json, one
    line for each mail: file, kind (bounce, delay, complaint, report-not-complaint, autoreply, delivered, none),
    recipients (address, status, class, hard, final, reason, action), and token (ours, if any).
    """
    config = mounted().config
    if as_json:
        for name, file in _files(paths):
            click.echo(json.dumps(_row(name, _read(file), config), ensure_ascii=False))
    else:
        rows = [_line(name, _read(file)) for name, file in _files(paths)]
        print_table(rows, empty="There are no mails in these folders.")


def _read(file: Path) -> Report:
    try:
        with file.open("rb") as stream:
            return read_report(stream)
    except OSError as error:
        raise click.ClickException(f"{file} cannot be read: {error.strerror}.") from None


def _files(paths: Sequence[Path]) -> Iterator[tuple[str, Path]]:
    """Every mail, with the name it is shown by."""
    for path in paths:
        if not path.is_dir():
            yield path.name, path
            continue
        for file in _in_folder(path):
            yield file.relative_to(path).as_posix(), file


def _in_folder(folder: Path) -> list[Path]:
    if (folder / "cur").is_dir() and (folder / "new").is_dir():
        return [file for part in ("new", "cur") for file in sorted((folder / part).iterdir()) if file.is_file()]
    mails = sorted(folder.rglob("*.eml"))
    return mails or sorted(file for file in folder.iterdir() if file.is_file() and not file.name.startswith("."))


def _row(name: str, report: Report, config: Config) -> dict[str, Any]:
    return {
        "file": name,
        "kind": report.kind.value,
        "recipients": [_recipient(one) for one in report.recipients],
        "token": _token(config, report),
    }


def _recipient(one: ReportedRecipient) -> dict[str, Any]:
    return {
        "address": one.address,
        "status": one.status,
        "class": one.lasting.value if one.lasting else None,
        "hard": one.hard,
        "final": one.final,
        "reason": one.reason,
        "action": one.action,
    }


def _token(config: Config, report: Report) -> str | None:
    """The first token of ours a mail holds: in its return path, its unsubscribe link, or a Message-ID."""
    tried: tuple[tuple[Callable[[Config, str], int], Sequence[str]], ...] = (
        (read_return_path, report.sent_to),
        (_read_link, report.returned_links),
        (read_message_id_field, (*report.returned_ids, *report.answers)),
    )
    for reads, texts in tried:
        for text in texts:
            try:
                reads(config, text)
            except BadLink:
                continue
            return text
    return None


def _read_link(config: Config, address: str) -> int:
    return read_message_token(config, address.rstrip("/").rpartition("/")[2].partition("?")[0])


def _line(name: str, report: Report) -> dict[str, Any]:
    about = [
        f"{one.address} ({why})" if (why := one.reason or one.action) else one.address for one in report.recipients
    ]
    return {"File": name, "Kind": report.kind.value, "About": ", ".join(about)}
