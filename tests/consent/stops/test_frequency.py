"""Who wants fewer mails is left in peace for their days, and asks for them once."""

import pytest

from massmail_plugin.consent.stops.frequency import want_as_many, want_fewer, wanted_days
from massmail_plugin.contracts import Host
from massmail_plugin.errors import BadRequest
from tests.consent.small_host import add_person


def test_asking_and_taking_back(host: Host) -> None:
    who, other = add_person(host), add_person(host)
    assert [want_fewer(host, who, 7), want_fewer(host, who, 7), want_fewer(host, who, 30)] == [True, False, True]
    assert (wanted_days(host, who), wanted_days(host, other)) == (30, None)
    assert [want_as_many(host, who), want_as_many(host, who)] == [True, False]
    assert wanted_days(host, who) is None


@pytest.mark.parametrize("days", [0, -1, 366])
def test_a_number_that_makes_no_sense_is_refused(host: Host, days: int) -> None:
    with pytest.raises(BadRequest, match="between 1 and 365"):
        want_fewer(host, add_person(host), days)
