"""The screens of event feeds: list, form, what to enter at the provider, a new address, delete. Commits."""

from flask import request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from massmail_plugin.admin.feeds.form import describe, draft_of, feed_form
from massmail_plugin.admin.frame.section import Section, screen
from massmail_plugin.admin.frame.wording import Word
from massmail_plugin.contracts import EventReader
from massmail_plugin.feedback import provider_events
from massmail_plugin.models import EventFeed, ProviderListEntry, Received
from massmail_plugin.providers.stop_lists import StopList, load_stop_lists
from massmail_plugin.vocabulary import Act

SHOW = "massmail_feeds.show"


class EventFeeds(Section):
    title = "Event feeds"
    slug = "feeds"

    @screen("/", Act.SENDER_MANAGE)
    def index(self) -> str:
        rows = self.host.session.scalars(select(EventFeed).order_by(EventFeed.name)).all()
        return self.render(
            "massmail/admin/feeds/list.html",
            title="Event feeds",
            feeds=rows,
            standing=standing,
            readers=self.host.event_readers,
        )

    @screen("/new", Act.SENDER_MANAGE, ("GET", "POST"))
    def new(self) -> ResponseReturnValue:
        reader = self.host.event_readers.get(request.args.get("provider", ""))
        if reader is None:
            known = sorted(self.host.event_readers.values(), key=lambda one: one.label.lower())
            return self.render("massmail/admin/feeds/providers.html", title="New event feed", readers=known)
        return self._edited(None, reader)

    @screen("/<int:feed_id>", Act.SENDER_MANAGE)
    def show(self, feed_id: int) -> str:
        feed = self.get(EventFeed, feed_id)
        came = select(func.count()).where(Received.origin == f"feed:{feed.id}")
        listed = select(ProviderListEntry.ours, func.count()).where(ProviderListEntry.feed_id == feed.id)
        counts = dict(self.host.session.execute(listed.group_by(ProviderListEntry.ours)).all())
        return self.render(
            "massmail/admin/feeds/show.html",
            title=feed.name,
            feed=feed,
            standing=standing,
            reader=self.host.event_readers.get(feed.provider),
            stops=load_stop_lists().get(feed.provider),
            address=provider_events.events_address(self.host, feed),
            unmatched=self.host.session.scalar(came),
            theirs=counts.get(False, 0),
            ours=counts.get(True, 0),
        )

    @screen("/<int:feed_id>/edit", Act.SENDER_MANAGE, ("GET", "POST"))
    def edit(self, feed_id: int) -> ResponseReturnValue:
        feed = self._managed(feed_id)
        reader = self.host.event_readers.get(feed.provider)
        if reader is None:
            return self.refused(f"The provider {feed.provider} is not known here any more.", SHOW, feed_id=feed_id)
        return self._edited(feed, reader)

    @screen("/<int:feed_id>/exchange", Act.SUPPRESSION_MANAGE, ("POST",))
    def exchange(self, feed_id: int) -> ResponseReturnValue:
        feed = self._managed(feed_id, Act.SUPPRESSION_MANAGE)
        feed.exchanged_at = None
        self.commit()
        self.host.wake("stop_lists")
        return self.done("The lists are exchanged as soon as a worker is free.", SHOW, feed_id=feed_id)

    @screen("/<int:feed_id>/address", Act.SENDER_MANAGE, ("GET", "POST"))
    def new_address(self, feed_id: int) -> ResponseReturnValue:
        feed = self._managed(feed_id)
        if request.method == "POST":
            provider_events.renew_path(self.host, feed)
            self.commit()
            return self.done("The feed has a new address. Enter it at the provider now.", SHOW, feed_id=feed_id)
        return self.confirm(
            title=f"Give “{feed.name}” a new address?",
            words="Nobody listens at the old one from then on: events are lost until you enter the new one there.",
            button="Make a new address",
            back=url_for(SHOW, feed_id=feed_id),
            danger=True,
        )

    @screen("/<int:feed_id>/delete", Act.SENDER_MANAGE, ("GET", "POST"))
    def delete(self, feed_id: int) -> ResponseReturnValue:
        feed = self._managed(feed_id)
        if request.method == "POST":
            provider_events.delete_feed(self.host, feed)
            self.commit()
            return self.done(f"Nobody listens for “{feed.name}” any more.", "massmail_feeds.index")
        return self.confirm(
            title=f"Delete the event feed “{feed.name}”?",
            words="What the provider posts is refused from then on. What was kept stays, and so do all stops.",
            button="Delete feed",
            back=url_for(SHOW, feed_id=feed_id),
            danger=True,
        )

    def _managed(self, feed_id: int, act: Act = Act.SENDER_MANAGE) -> EventFeed:
        feed = self.get(EventFeed, feed_id)
        self.require(act, feed)
        return feed

    def _edited(self, feed: EventFeed | None, reader: EventReader) -> ResponseReturnValue:
        stops: StopList | None = load_stop_lists().get(reader.name)
        form = feed_form(feed, reader, stops)
        if request.method == "POST" and form.validate():
            draft = draft_of(form, reader.name)
            for name, words in provider_events.feed_problems(self.host, feed, draft).items():
                form.refuse(name, words)
            if not form.wrong:
                saved = provider_events.save_feed(self.host, feed, draft)
                self.commit()
                return self.done(f"The event feed “{saved.name}” was saved.", SHOW, feed_id=saved.id)
        describe(form, feed)
        page = self.render(
            "massmail/admin/feeds/form.html",
            title="Modify event feed" if feed else f"New event feed: {reader.label}",
            form=form,
            feed=feed,
            stops=stops,
        )
        return page, 422 if form.wrong else 200


def standing(feed: EventFeed) -> Word:
    """Whether the provider is heard."""
    if not feed.active:
        return Word("Off")
    if feed.fault:
        return Word("Requests refused", "bad")
    if feed.exchanges and feed.exchange_fault:
        return Word("List not exchanged", "bad")
    return Word("Listening", "good") if feed.heard_at else Word("Not heard yet", "waiting")
