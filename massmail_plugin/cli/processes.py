"""`flask massmail worker`, `scheduler` and `doctor`: what has to run, and what is missing."""

from dataclasses import asdict

import click
from flask import current_app
from flask.cli import with_appcontext

from massmail_plugin.cli.group import json_option, mounted, print_json
from massmail_plugin.jobs.scheduler import run_scheduler
from massmail_plugin.jobs.worker import run_worker
from massmail_plugin.upkeep.doctor import Level, checks, worst

MARKS = {Level.OK: "ok     ", Level.WARNING: "warning", Level.FAIL: "FAIL   "}


@click.command()
@click.option("--burst", is_flag=True, help="End when there is nothing left to do.")
@with_appcontext
def worker(burst: bool) -> None:
    """Work until told to stop: fill, send, report. Any number may run, on any machine."""
    run_worker(current_app._get_current_object(), burst=burst)  # type: ignore[attr-defined]


@click.command()
@click.option("--once", is_flag=True, help="One tick, then end.")
@with_appcontext
def scheduler(once: bool) -> None:
    """Start what is due, every few seconds. A second one is a stand-by."""
    run_scheduler(current_app._get_current_object(), once=once)  # type: ignore[attr-defined]


@click.command()
@json_option
@with_appcontext
def doctor(as_json: bool) -> None:
    """Say what is missing for mail to leave and answers to come back; exit code 1 where something fails."""
    found = checks(mounted())
    if as_json:
        print_json({"level": worst(found), "checks": [asdict(check) for check in found]})
    else:
        for check in found:
            click.echo(f"{MARKS[check.level]}  {check.name}: {check.text}")
            if check.what_to_do:
                click.echo(f"         {check.what_to_do}")
    if worst(found) is Level.FAIL:
        raise SystemExit(1)
