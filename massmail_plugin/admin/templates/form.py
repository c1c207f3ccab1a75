"""The form of a template: its words and its defaults. The template screens enter; nothing is committed here."""

from typing import Any

from wtforms import BooleanField, HiddenField, RadioField, SelectField, SelectMultipleField, TextAreaField
from wtforms.widgets import CheckboxInput, ListWidget

from massmail_plugin.admin.frame import forms
from massmail_plugin.admin.frame.forms import ScreenForm, address, number_or_none, strip
from massmail_plugin.vocabulary import TemplateFormat

FORMATS = [
    (TemplateFormat.HTML.value, "HTML (a text part goes with it)"),
    (TemplateFormat.TEXT.value, "Text only"),
]


class TemplateForm(ScreenForm):
    """A template's words and defaults."""

    based_on = HiddenField()
    name = forms.text("Name", required="Give the template a name.", help="Only your colleagues see it.")
    description = forms.text("Description", longest=2000)
    topic_id = SelectField("Topic", coerce=number_or_none, description="What the message is about, such as “Prices”.")
    segment_id = SelectField(
        "Business segment", coerce=number_or_none, description="The part of the business it is for, such as “Schools”."
    )
    subject = forms.text("Subject", required="Write a subject.", longest=2000)
    format = RadioField("Write the mail as", choices=FORMATS, default=TemplateFormat.HTML.value)
    html = TextAreaField("HTML", filters=[forms.written])
    text = TextAreaField("Text", filters=[forms.written])
    sender_id = SelectField("Sender", coerce=number_or_none, description="Mailings may choose another.")
    from_name = forms.text("From name", help="Instead of the sender's own.")
    from_address = address("From address", help="Instead of the sender's own.")
    reply_to = address("Reply-to")
    bcc = address("Copy to (BCC)", help="Gets a copy of every mail. Its links do not count.")

    keeps_history = BooleanField("Put a copy of each mail into the contact's history")
    actions = SelectMultipleField(
        "For each mail that was sent", widget=ListWidget(prefix_label=False), option_widget=CheckboxInput()
    )

    def validate(self, extra_validators: Any = None) -> bool:
        fine: bool = super().validate(extra_validators)
        written = self.html if self.format.data == TemplateFormat.HTML else self.text
        if not strip(written.data):
            written.errors = [*written.errors, "Write the words of the mail."]
            return False
        return fine
