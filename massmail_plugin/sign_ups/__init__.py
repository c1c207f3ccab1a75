"""Public sign-up to lists: the form and its guards, the mail that asks, the confirmation, reminders. Doors enter.

Rooms flush and doors commit, but for `keep_up`, which owns short transactions.
"""

from massmail_plugin.sign_ups.asking import ask_again
from massmail_plugin.sign_ups.confirming import Standing, Where, confirm, standing
from massmail_plugin.sign_ups.entries import Entry, fill_in
from massmail_plugin.sign_ups.form import Form, NotOffered, Question, Reread, form_of, list_form, reread
from massmail_plugin.sign_ups.keeping_up import keep_up
from massmail_plugin.sign_ups.mail_domains import likely_meant
from massmail_plugin.sign_ups.sender import sender_for
from massmail_plugin.sign_ups.taking import Taken, Visitor, take

__all__ = [
    "Entry",
    "Form",
    "NotOffered",
    "Question",
    "Reread",
    "Standing",
    "Taken",
    "Visitor",
    "Where",
    "ask_again",
    "confirm",
    "fill_in",
    "form_of",
    "keep_up",
    "likely_meant",
    "list_form",
    "reread",
    "sender_for",
    "standing",
    "take",
]
