"""Turns what a report says of each recipient into reported recipients. The reader enters."""

from collections.abc import Sequence
from dataclasses import replace

from massmail_plugin.feedback.reports.addresses import addresses, in_return_path, same
from massmail_plugin.feedback.reports.contents import Contents
from massmail_plugin.feedback.reports.headers import decoded_words
from massmail_plugin.feedback.reports.phrases import GIVEN_UP, says
from massmail_plugin.feedback.reports.places import AFTER_DATA, is_office
from massmail_plugin.feedback.reports.prose import Mention, Weight, bare_names, besides, mentions, sure
from massmail_plugin.feedback.reports.reasons import enhanced, reply_code, verdict
from massmail_plugin.feedback.reports.report import Lasting, Reason, ReportedRecipient
from massmail_plugin.feedback.reports.status_fields import MOST_RECIPIENTS, StatusGroup
from massmail_plugin.feedback.reports.witness import testified

LONGEST_WORDS = 500
LONGEST_READ = 4000
_FINAL = ("failed", "")
_OF_THE_WAY = (Reason.EXPIRED, Reason.NETWORK_ERROR)
_OF_THE_STATE = (Reason.MAILBOX_FULL, Reason.SYSTEM_ERROR, Reason.SYSTEM_FULL, Reason.SPEEDING, Reason.EXCEED_LIMIT)


def failure(
    address: str, *, words: str, status: str = "", original: str = "", action: str = "failed", after_data: bool = False
) -> ReportedRecipient:
    """A recipient whose mail failed, or is late (`action` "delayed"), judged by the server's words."""
    said = verdict(status, words, after_data=after_data)
    final = action in _FINAL
    lasting = said.lasting if final else Lasting.TEMPORARY
    return ReportedRecipient(
        address=address,
        original="" if same(original, address) else original,
        status=said.status,
        lasting=lasting,
        hard=said.hard and final,
        final=final,
        reason=said.reason.value,
        action=action,
        meaning=said.meaning,
        code=said.code,
        words=" ".join(words.split())[:LONGEST_WORDS],
    )


def of_group(group: StatusGroup, action: str, mention: Mention | None) -> ReportedRecipient:
    """A recipient of a delivery report (RFC 3464)."""
    if action in ("delivered", "relayed", "expanded"):
        return ReportedRecipient(
            address=group.address, original=group.original, status=group.status, final=False, action=action
        )
    words = group.words or (" ".join(mention.words)[:2000] if mention else "")
    return failure(
        group.address,
        words=words,
        status=group.status,
        original=group.original,
        action=action,
        after_data=AFTER_DATA.search(words) is not None,
    )


def arrived(one: ReportedRecipient) -> ReportedRecipient:
    """The same recipient, where the text says that the mail reached it."""
    return ReportedRecipient(address=one.address, original=one.original, final=False, action="delivered")


def of_text(contents: Contents, raw: bytes, *, delayed: bool) -> list[ReportedRecipient]:
    """The recipients a report names in its words alone."""
    found = mentions(contents.said)
    chosen = _named_in_header(contents, found) or sure(found, contents.senders) or _guessed(contents, raw, found)
    chosen = _as_returned(chosen, contents)
    action = "delayed" if delayed else "failed"
    return [_of_mention(one, contents.said, action, alone=len(chosen) == 1) for one in chosen[:MOST_RECIPIENTS]]


def _named_in_header(contents: Contents, found: Sequence[Mention]) -> list[Mention]:
    """Those of X-Failed-Recipients (Exim and those who took it over)."""
    named = [one for value in contents.headers.all("x-failed-recipients") for one in addresses(decoded_words(value))]
    by_text = {one.address.casefold(): one for one in found}
    if named and not any(one.casefold() in by_text for one in named):
        told = [one for one in sure(found, contents.senders) if one.weight is Weight.NAMED]
        if told:
            return [replace(one, original=one.original or named[0]) for one in told]
    return [by_text.get(one.casefold()) or Mention(one, Weight.NAMED) for one in dict.fromkeys(named)]


def _guessed(contents: Contents, raw: bytes, found: Sequence[Mention]) -> list[Mention]:
    """Where the words name nobody plainly: the first of these that has an answer."""
    others = [one.address for one in besides(found, contents.senders) if not is_office(one.address)]
    named = [one.address for one in found if one.weight > Weight.MENTIONED]
    return (
        (contents.returned.there and _only(others))
        or _only(contents.returned.recipients)
        or _only(contents.returned.traces)
        or _all(_own_users(contents))
        or _all([one for one in _besides_senders(contents, testified(raw)) if not is_office(one)])
        or _only(others)
        or _only(named)
        or _only(_besides_senders(contents, addresses(contents.headers.words("subject"))))
        or _all([one for address in contents.sent_to for one in in_return_path(address)][:1])
    )


def _as_returned(chosen: list[Mention], contents: Contents) -> list[Mention]:
    """A name without a domain, as directories have it, by the address of the only recipient of the returned mail."""
    to = _besides_senders(contents, contents.returned.recipients)
    if len(chosen) != 1 or len(to) != 1 or "." in chosen[0].address.rpartition("@")[2]:
        return chosen
    return [replace(chosen[0], address=to[0])]


def _besides_senders(contents: Contents, likely: list[str]) -> list[str]:
    return [one for one in likely if not any(same(one, sender) for sender in contents.senders)]


def _only(likely: list[str]) -> list[Mention]:
    """The address, if there is but one."""
    return _all(likely[:1]) if len({one.casefold() for one in likely}) == 1 else []


def _all(likely: list[str]) -> list[Mention]:
    return [Mention(one, Weight.MENTIONED) for one in likely]


def _own_users(contents: Contents) -> list[str]:
    """Users a provider names without its domain."""
    domain = contents.sender.rpartition("@")[2]
    return [f"{one}@{domain}" for one in bare_names(contents.said)] if domain else []


def _of_mention(mention: Mention, said: str, action: str, *, alone: bool) -> ReportedRecipient:
    words = "\n".join(mention.words)
    if alone and not reply_code(words) and not enhanced(words):
        words = f"{words}\n{said}"
    words = words[:LONGEST_READ]
    one = failure(
        mention.address,
        words=words,
        status=enhanced(words),
        original=mention.original,
        action=action,
        after_data=mention.after_data,
    )
    if one.final and one.lasting is None:
        return replace(one, lasting=_without_code(one.reason, " ".join(said.lower().split())))
    return one


def _without_code(reason: str, said: str) -> Lasting | None:
    """How long a failure without any code lasts: what a mailbox, a route or the time brought about may pass."""
    if says(said, GIVEN_UP):
        return Lasting.PERMANENT
    if reason in _OF_THE_WAY:
        return Lasting.TEMPORARY
    return None if reason in _OF_THE_STATE else Lasting.PERMANENT
