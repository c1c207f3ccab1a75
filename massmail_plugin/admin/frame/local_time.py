"""Turns a date, a time and a zone that a person typed into a moment in UTC. Views enter; nothing is committed here."""

from datetime import UTC, date, datetime, time, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from massmail_plugin.errors import BadRequest

LONGEST_NAME = 64


def moment(day: date, at: time, zone: str) -> datetime:
    """The moment meant by a local date and time; `zone` is "UTC" or an IANA name such as "Europe/Rome".

    Raises BadRequest for an unknown zone, a time that the zone's clocks skip, and the ends of the calendar. Of a time
    that comes twice the first is meant.
    """
    local = datetime.combine(day, at, tzinfo=_zone(zone))
    try:
        there = local.astimezone(UTC)
    except OverflowError:
        raise BadRequest("That day is at the end of the calendar. Choose another date.") from None
    if there.astimezone(local.tzinfo).replace(tzinfo=None) != local.replace(tzinfo=None):
        raise BadRequest(
            f"{at:%H:%M} does not exist on that day in {zone}: the clocks go forward. Choose another time."
        )
    return there


def _zone(name: str) -> tzinfo:
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name[:LONGEST_NAME])
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadRequest(
            f"The server does not know the time zone “{name[:LONGEST_NAME]}”. Enter the time in UTC."
        ) from None
