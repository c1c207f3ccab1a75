"""The sample host with faults of its own, as `flask --app faults.hosts` finds it: hooks that kill their process.

FAULTS_POISON names contacts (keys, with commas) whose mail kills whoever writes it, FAULTS_POISON_REPORT those whose
report does, FAULTS_POISON_MAILING a mailing all of whose mails do; FAULTS_DOT_SECONDS shortens the wait after the final
dot. Without them it is the sample host as it is.
"""

import os
import signal

from flask import Flask

from massmail_plugin import OutcomeFact
from massmail_plugin.contracts import SendFact
from massmail_plugin.providers.smtp import SmtpProvider
from sample_host.app import create_app as create_sample
from sample_host.mailing import massmail


def named(variable: str) -> set[str]:
    """The words an environment variable names."""
    return set(filter(None, os.environ.get(variable, "").split(",")))


POISON, POISON_REPORT = named("FAULTS_POISON"), named("FAULTS_POISON_REPORT")
POISON_MAILING = named("FAULTS_POISON_MAILING")
DOT_SECONDS = os.environ.get("FAULTS_DOT_SECONDS")


def create_app() -> Flask:
    """The sample host; the hooks are added only where something is poisoned, since a hook costs time."""
    if POISON or POISON_MAILING:
        massmail.before_send(die_before)
    if POISON_REPORT:
        massmail.on_outcome(die_after)
    app = create_sample()
    if DOT_SECONDS:
        app.extensions["massmail"].providers["smtp"] = SmtpProvider(final_dot_seconds=float(DOT_SECONDS))
    return app


def die_before(fact: SendFact) -> str | None:
    """Ends the process as a fault in a library would."""
    if fact.contact.key in POISON or fact.mailing_name in POISON_MAILING:
        os.kill(os.getpid(), signal.SIGSEGV)
    return None


def die_after(fact: OutcomeFact) -> None:
    """The same while the host is told what became of a mail."""
    if fact.contact.key in POISON_REPORT:
        os.kill(os.getpid(), signal.SIGSEGV)
