"""One run: draft, checklist, launch, lifecycle, progress, and the people behind each number."""

from massmail_plugin.mailings.checklist import CheckLine, Checklist, Level, Section, checklist
from massmail_plugin.mailings.drafts import change, copy, create, remove
from massmail_plugin.mailings.history import Click, History, Mail, history
from massmail_plugin.mailings.identity import Identity, chosen_sender, identity
from massmail_plugin.mailings.launch import fill_launched, launch, start_due
from massmail_plugin.mailings.lifecycle import cancel, pause, resume, retry_failed, unschedule
from massmail_plugin.mailings.overview import Numbers, overview
from massmail_plugin.mailings.people import Person, Which, people
from massmail_plugin.mailings.progress import Progress, Responses, link_counts, progress, responses
from massmail_plugin.mailings.recipients import funnel, request, will_get
from massmail_plugin.mailings.steps import open_step
from massmail_plugin.mailings.trials import send_test

__all__ = [
    "CheckLine",
    "Checklist",
    "Click",
    "History",
    "Identity",
    "Level",
    "Mail",
    "Numbers",
    "Person",
    "Progress",
    "Responses",
    "Section",
    "Which",
    "cancel",
    "change",
    "checklist",
    "chosen_sender",
    "copy",
    "create",
    "fill_launched",
    "funnel",
    "history",
    "identity",
    "launch",
    "link_counts",
    "open_step",
    "overview",
    "pause",
    "people",
    "progress",
    "remove",
    "request",
    "responses",
    "resume",
    "retry_failed",
    "send_test",
    "start_due",
    "unschedule",
    "will_get",
]
