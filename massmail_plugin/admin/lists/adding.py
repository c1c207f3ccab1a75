"""Putting everybody on a list, or taking them off it, whom a criterion finds: counts first, then the act. Commits."""

from typing import Any

from flask import request
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from wtforms import RadioField

from massmail_plugin.admin.frame import guard
from massmail_plugin.admin.frame.forms import ScreenForm, choice, filled, text
from massmail_plugin.admin.frame.section import screen
from massmail_plugin.admin.lists.people import ListPeople
from massmail_plugin.audience import matching, sentence
from massmail_plugin.audience.criteria.time_limit import bounded
from massmail_plugin.consent.proof import Proof
from massmail_plugin.consent.subscriptions.subscribing import (
    Counts,
    subscribe_selected,
    unsubscribe_selected,
    would_subscribe,
    would_unsubscribe,
)
from massmail_plugin.contracts import Host
from massmail_plugin.errors import RuleError, TooSlow
from massmail_plugin.models import Criterion, List
from massmail_plugin.vocabulary import Act, ConsentWay

CONSENT = "How do you know that they agreed?"
CONSENT_HELP = "It is kept with each of them. For example: signed up at the spring fair."
WHAT = [("on", "Put them on the list"), ("off", "Take them off the list")]


class MatchingForm(ScreenForm):
    """Which criterion, which way, and the evidence."""

    criterion = choice("Criterion")
    what = RadioField("What is to be done", choices=WHAT, default="on")
    evidence = text("How do you know that they want it?", longest=200, help="It is kept with each of them.")


class ListAdding(ListPeople):
    """Part of the section Lists."""

    @screen("/<int:list_id>/by-criterion", Act.LIST_MANAGE, ("GET", "POST"))
    def by_criterion(self, list_id: int) -> ResponseReturnValue:
        list_ = self.list_(list_id)
        form = filled(MatchingForm, None, criterion=request.args.get("criterion", ""), what=request.args.get("what"))
        form.criterion.choices = [("", "Choose …"), *criteria(self.host)]
        form.what.data = form.what.data if form.what.data in dict(WHAT) else "on"
        criterion, problem, counts, words = self._chosen(form), "", None, ""
        try:
            if request.method == "POST" and criterion and form.validate():
                return self._done_to_matching(list_, criterion, form)
            if criterion:
                words = sentence(self.host, self.host.source(criterion.contact_source), criterion.rule)
                counts = self._would(list_, criterion, form.what.data)
        except (RuleError, TooSlow) as error:
            self.host.session.rollback()
            problem = str(error)
        page = self.render(
            "massmail/admin/lists/by_criterion.html",
            title="By criterion",
            list_=list_,
            form=form,
            criterion=criterion,
            words=words,
            counts=counts,
            problem=problem,
        )
        return page, 422 if problem or form.wrong else 200

    def _chosen(self, form: MatchingForm) -> Criterion | None:
        number = str(form.criterion.data or "")
        known = {value for value, _ in form.criterion.choices if value}
        return self.get(Criterion, int(number)) if number in known else None

    def _would(self, list_: List, criterion: Criterion, what: str) -> Counts:
        """What it would do now; nothing is changed."""
        source, wanted = matching(self.host, criterion)
        would = would_subscribe if what == "on" else would_unsubscribe
        with bounded(self.host):
            return would(self.host, list_, source, wanted)

    def _done_to_matching(self, list_: List, criterion: Criterion, form: MatchingForm) -> ResponseReturnValue:
        source, wanted = matching(self.host, criterion)
        how = f"criterion “{criterion.name}”"
        if form.what.data == "on":
            proof = added_by(how, form.evidence.data)
            words = added_words(subscribe_selected(self.host, list_, source, wanted, proof=proof), list_)
        else:
            proof = done_by("taken off", how, form.evidence.data)
            number = unsubscribe_selected(self.host, list_, source, wanted, proof=proof)
            words = f"{counted(number, 'contact')} taken off “{list_.name}”."
        self.commit()
        return self.done(words, "massmail_lists.show", list_id=list_.id)


def criteria(host: Host) -> list[tuple[str, str]]:
    """The saved criteria as choices of a form."""
    found = host.session.execute(select(Criterion.id, Criterion.name).order_by(func.lower(Criterion.name)))
    return [(str(number), name) for number, name in found]


def added_by(how: str, evidence: str, *, way: ConsentWay = ConsentWay.PERSON, origin: str = "") -> Proof:
    """What is kept with each contact: what was said about their consent, then how and by whom they were added."""
    return done_by("added", how, evidence, way=way, origin=origin)


def done_by(what: str, how: str, evidence: str, *, way: ConsentWay = ConsentWay.PERSON, origin: str = "") -> Proof:
    """`added_by` for other acts: `what` is "added", "taken off" and so on."""
    said = f"{what} by {how}, {guard.user_name()}"
    words = f"{evidence} – {said}" if evidence else said[:1].upper() + said[1:]
    return Proof(way, evidence=words, by=guard.user_name(), origin=origin)


def added_words(counts: Counts, list_: List) -> str:
    """What adding did, for the message afterwards."""
    return f"{counted(counts.new, 'contact')} added to “{list_.name}”." + stayed_words(counts)


def stayed_words(counts: Any) -> str:
    """Who was there already and who was kept out."""
    already = f" {counted(counts.already, 'contact')} on it already." if counts.already else ""
    out = f" {counted(counts.kept_out, 'contact')} left out, having opted out." if counts.kept_out else ""
    return already + out


def counted(number: int, noun: str) -> str:
    """“1 contact was”, “1,284 contacts were”."""
    return f"{number:,} {noun} was" if number == 1 else f"{number:,} {noun}s were"
