"""What came of mailings in numbers, each computed from rows; what is costly to count is kept beside them."""

from massmail_plugin.mailings.statistics.digest import send_due_digests
from massmail_plugin.mailings.statistics.proof import Difference, differences, set_right
from massmail_plugin.mailings.statistics.responses import Responses, responses, responses_of
from massmail_plugin.mailings.statistics.roll_up import catch_up, count_anew

__all__ = [
    "Difference",
    "Responses",
    "catch_up",
    "count_anew",
    "differences",
    "responses",
    "responses_of",
    "send_due_digests",
    "set_right",
]
