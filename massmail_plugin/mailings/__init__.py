"""One run: draft, checklist, launch, lifecycle, progress, and the people behind each number."""

from massmail_plugin.mailings.checklist import CheckLine, Checklist, Level, Section, checklist
from massmail_plugin.mailings.coming_to_rest import AtRest, come_to_rest
from massmail_plugin.mailings.drafts import change, copy, create, remove
from massmail_plugin.mailings.failures import failures
from massmail_plugin.mailings.forecast import Forecast, finish_time
from massmail_plugin.mailings.history import Click, History, Mail, history
from massmail_plugin.mailings.identity import Identity, chosen_sender, identity
from massmail_plugin.mailings.last_mailed import note_mailed
from massmail_plugin.mailings.late_start import Absence, HeldLate, absence, held_late, hold_late, remember_seen
from massmail_plugin.mailings.launch import fill_launched, launch, start_due
from massmail_plugin.mailings.lifecycle import cancel, halt, pause, resume, retry_failed, unschedule
from massmail_plugin.mailings.lost_links import answer_lost_links, ask_for_link
from massmail_plugin.mailings.people import Person, Which, people
from massmail_plugin.mailings.progress import Progress, progress
from massmail_plugin.mailings.recipients import explain, funnel, left_out, request, will_get
from massmail_plugin.mailings.service_letter import ServiceLetter
from massmail_plugin.mailings.service_mail import TOKEN, any_sender, forget_words, send_service
from massmail_plugin.mailings.slowness import slowness
from massmail_plugin.mailings.statistics import Responses, responses
from massmail_plugin.mailings.statistics.overview import Numbers, overview
from massmail_plugin.mailings.steps import open_step
from massmail_plugin.mailings.trials import send_test
from massmail_plugin.mailings.uncertain import (
    UncertainMail,
    leave_uncertain,
    open_questions,
    resend_uncertain,
    uncertain_mails,
    undecided,
)
from massmail_plugin.mailings.why import Why, why

__all__ = [
    "TOKEN",
    "Absence",
    "AtRest",
    "CheckLine",
    "Checklist",
    "Click",
    "Forecast",
    "HeldLate",
    "History",
    "Identity",
    "Level",
    "Mail",
    "Numbers",
    "Person",
    "Progress",
    "Responses",
    "Section",
    "ServiceLetter",
    "UncertainMail",
    "Which",
    "Why",
    "absence",
    "answer_lost_links",
    "any_sender",
    "ask_for_link",
    "cancel",
    "change",
    "checklist",
    "chosen_sender",
    "come_to_rest",
    "copy",
    "create",
    "explain",
    "failures",
    "fill_launched",
    "finish_time",
    "forget_words",
    "funnel",
    "halt",
    "held_late",
    "history",
    "hold_late",
    "identity",
    "launch",
    "leave_uncertain",
    "left_out",
    "note_mailed",
    "open_questions",
    "open_step",
    "overview",
    "pause",
    "people",
    "progress",
    "remember_seen",
    "remove",
    "request",
    "resend_uncertain",
    "responses",
    "resume",
    "retry_failed",
    "send_service",
    "send_test",
    "slowness",
    "start_due",
    "uncertain_mails",
    "undecided",
    "unschedule",
    "why",
    "will_get",
]
