"""The forms of a campaign. Views enter; nothing is committed here."""

from wtforms import IntegerField
from wtforms.validators import InputRequired, NumberRange

from massmail_plugin.admin.frame.forms import ScreenForm, choice, number_or_none, text
from massmail_plugin.admin.mailings.forms import ticks, untracked_box

LATEST_DAY = 3650


class CampaignForm(ScreenForm):
    name = text(
        "Name", required="Give the campaign a name.", help="For you and your colleagues; recipients do not see it."
    )
    description = text("Description", longest=2000)
    contact_source = choice("Contacts", help="Whom it goes to. This cannot be changed later.")
    list_ids = ticks(
        "Lists", int, help="Contacts enter when they join one of these, and leave when they are on none of them."
    )
    sender_id = choice(
        "Sender", coerce=number_or_none, help="Where none is chosen, each mail leaves through its template's."
    )
    untracked = untracked_box()


class StepForm(ScreenForm):
    day = IntegerField(
        "Day",
        [
            InputRequired("Enter a day; 0 is the day of entry."),
            NumberRange(0, LATEST_DAY, f"The day is between 0 and {LATEST_DAY:,}."),
        ],
    )
    template_id = choice("Template", coerce=number_or_none)
