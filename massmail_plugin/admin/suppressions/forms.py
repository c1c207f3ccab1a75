"""The forms of suppressions: whom to stop, how far and how long; why to release. Views enter."""

from datetime import datetime, time
from typing import Any

from sqlalchemy import select
from wtforms import DateField, TextAreaField
from wtforms.validators import DataRequired, Length, Optional

from massmail_plugin.admin.frame.forms import ScreenForm, address, choice, strip
from massmail_plugin.admin.frame.local_time import moment
from massmail_plugin.contracts import Host
from massmail_plugin.errors import BadRequest
from massmail_plugin.models import List, Topic
from massmail_plugin.vocabulary import SuppressionScope

EVERYTHING = ""
"""The scope's value in the form; a list is its id, a topic `topic-` and its id."""
_TOPIC = "topic-"


class SuppressionForm(ScreenForm):
    """An address, or the contact that was chosen before."""

    address = address("Address")
    scope = choice("Stop")
    until = DateField(
        "Mail may go again from", [Optional()], description="The day begins at midnight UTC. Empty means never again."
    )
    note = TextAreaField(
        "Note",
        [Length(max=2000, message="At most 2000 characters fit here.")],
        filters=[strip],
        description="Why, and who asked for it. Your colleagues read this later.",
    )

    def offer(self, host: Host) -> None:
        """Fill the choices of what may be stopped."""
        topics = host.session.execute(select(Topic.id, Topic.name).order_by(Topic.name))
        lists = host.session.execute(select(List.id, List.name).order_by(List.name))
        self.scope.choices = [
            (EVERYTHING, "every mailing"),
            *((f"{_TOPIC}{topic_id}", f"only the topic “{name}”") for topic_id, name in topics),
            *((str(list_id), f"only the list “{name}”") for list_id, name in lists),
        ]

    def reach(self) -> dict[str, Any]:
        """How far and how long, as `suppress` takes it. Raises BadRequest for a day beyond the calendar."""
        chosen = str(self.scope.data)
        return {"until": self._until(), **_scope(chosen)}

    def _until(self) -> datetime | None:
        return moment(self.until.data, time(), "UTC") if self.until.data else None

    def refuse_for(self, error: BadRequest) -> None:
        """Put what the room said at the field it is about."""
        self.refuse("until" if self.until.data and "day" in str(error) else "address", str(error))


class ReleaseForm(ScreenForm):
    note = TextAreaField(
        "Why may mail go there again?",
        [
            DataRequired("Say why: the note is kept in the history."),
            Length(max=500, message="At most 500 characters fit here."),
        ],
        filters=[strip],
    )


def _scope(chosen: str) -> dict[str, Any]:
    if chosen == EVERYTHING:
        return {"scope": SuppressionScope.ALL_BUT_TRANSACTIONAL}
    if chosen.startswith(_TOPIC):
        return {"scope": SuppressionScope.TOPIC, "topic_id": int(chosen.removeprefix(_TOPIC))}
    return {"scope": SuppressionScope.LIST, "list_id": int(chosen)}
