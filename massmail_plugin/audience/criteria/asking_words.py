"""Rules that ask our own tables in words: lists, opt-outs, mailing history, saved criteria. Reads only."""

from massmail_plugin.audience.criteria.history_sql import mailing_of, template_of
from massmail_plugin.audience.criteria.rules import (
    CriterionRule,
    Got,
    HistoryRule,
    Leaf,
    ListRule,
    OnList,
    OptOut,
    OptOutRule,
)
from massmail_plugin.audience.criteria.saved_criteria import criterion_of
from massmail_plugin.audience.criteria.standing_sql import lists_of, topic_of
from massmail_plugin.contracts import Host
from massmail_plugin.models import Topic

LONGEST_LINK = 80

_ON_LIST = {OnList.ON: "on", OnList.OFF: "not on", OnList.LEFT: "left"}
_OPT_OUT = {
    OptOut.OPTED_OUT: "has opted out of",
    OptOut.NOT_OPTED_OUT: "has not opted out of",
    OptOut.STOPPED: "gets no mail of",
    OptOut.NOT_STOPPED: "may get mail of",
}
_HISTORY = {
    Got.GOT: "got",
    Got.NOT_GOT: "did not get",
    Got.READ: "read",
    Got.UNREAD: "got and did not read",
    Got.CLICKED: "clicked in",
    Got.UNCLICKED: "got and did not click in",
    Got.BOUNCED: "bounced with",
}


def said(host: Host, rule: Leaf) -> str:
    """The rule in words. Raises RuleError for what is gone."""
    if isinstance(rule, ListRule):
        return _lists(host, rule)
    if isinstance(rule, OptOutRule):
        return f"{_OPT_OUT[rule.op]} {_scope(host, rule)}"
    if isinstance(rule, HistoryRule):
        return _history(host, rule)
    assert isinstance(rule, CriterionRule)
    return f"{'found' if rule.found else 'not found'} by “{criterion_of(host, rule.criterion_id).name}”"


def _lists(host: Host, rule: ListRule) -> str:
    names = [f"“{one.name}”" for one in lists_of(host, rule.list_ids)]
    what = f"{'any' if rule.op is OnList.OFF else 'one'} of the lists " if len(names) > 1 else "the list "
    return f"{_ON_LIST[rule.op]} {what}{', '.join(names)}"


def _scope(host: Host, rule: OptOutRule) -> str:
    if rule.list_id is not None:
        return f"the list “{lists_of(host, [rule.list_id])[0].name}”"
    topic_id = topic_of(host, rule)
    return "everything" if topic_id is None else f"the topic “{host.session.get_one(Topic, topic_id).name}”"


def _history(host: Host, rule: HistoryRule) -> str:
    mailing, template = mailing_of(host, rule), template_of(host, rule)
    what = f"“{mailing.name}”" if mailing else f"a mail of “{template.name}”" if template else "a mail"
    words = f"{_HISTORY[rule.op]} {what}"
    if rule.link is not None:
        words = f"clicked {rule.link[:LONGEST_LINK]} in {what}"
    days = rule.days
    return words if days is None else f"{words} in the last {f'{days:,} days' if days != 1 else 'day'}"
