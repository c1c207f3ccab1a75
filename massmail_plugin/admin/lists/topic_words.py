"""What recipients read about a topic in their own language: the screen of its words. Commits."""

from flask import request, url_for
from flask.typing import ResponseReturnValue

from massmail_plugin.admin.frame.section import Section, screen
from massmail_plugin.admin.lists.form import WORDS, read_words
from massmail_plugin.models import Topic
from massmail_plugin.translations import languages, words_in
from massmail_plugin.vocabulary import Act

KINDS = {kind: WORDS[kind] for kind in ("name", "description")}


class TopicWords(Section):
    """Part of the section Lists."""

    @screen("/topics/<int:topic_id>/words", Act.LIST_MANAGE, ("GET", "POST"))
    def topic_words(self, topic_id: int) -> ResponseReturnValue:
        topic, known = self.get(Topic, topic_id), list(languages(self.host.config))
        given, faults = read_words(request.form, known)
        if request.method == "POST" and not faults:
            topic.texts = {**{name: said for name, said in topic.texts.items() if name not in known}, **given}
            self.commit()
            return self.done(f"The words of “{topic.name}” were saved.", "massmail_lists.groups", kind="topics")
        page = self.render(
            "massmail/admin/lists/words.html",
            title="Words by language",
            list_=topic,
            back=url_for("massmail_lists.groups", kind="topics"),
            kinds={**KINDS, "name": ("Name", "What the topic is called.")},
            languages=[(name, words_in([name], self.host.config)("English")) for name in known],
            said=given if request.method == "POST" else topic.texts,
            faults=faults,
        )
        return page, 422 if faults else 200
