"""The wish to stop, however it comes: one click, a page, a mail; the undo, the choices. Flushes only; doors commit."""

from massmail_plugin.opt_out.choices import ListChoice, TopicChoice, Wanted
from massmail_plugin.opt_out.choosing import DAYS, LONGEST_COMMENT, MONTHS, choose, tell_why
from massmail_plugin.opt_out.page_state import PageState, page_state
from massmail_plugin.opt_out.recipient import is_known, locale_of, recipient
from massmail_plugin.opt_out.removals import came_back_since
from massmail_plugin.opt_out.said_by_host import from_host
from massmail_plugin.opt_out.wishes import by_mail, leave, one_click, undo

__all__ = [
    "DAYS",
    "LONGEST_COMMENT",
    "MONTHS",
    "ListChoice",
    "PageState",
    "TopicChoice",
    "Wanted",
    "by_mail",
    "came_back_since",
    "choose",
    "from_host",
    "is_known",
    "leave",
    "locale_of",
    "one_click",
    "page_state",
    "recipient",
    "tell_why",
    "undo",
]
