"""The register of providers, and the one that keeps messages in memory."""

from importlib.metadata import EntryPoint, EntryPoints

import pytest

from massmail_plugin.contracts import Answer, Hand
from massmail_plugin.errors import SetupError
from massmail_plugin.providers import load_providers, register
from massmail_plugin.providers.recording import RecordingProvider
from massmail_plugin.vocabulary import MessageState
from tests.providers.conftest import Journal, account, message, send


def announce(monkeypatch: pytest.MonkeyPatch, *entries: tuple[str, str]) -> None:
    found = EntryPoints(EntryPoint(name, value, register.GROUP) for name, value in entries)
    monkeypatch.setattr(register, "entry_points", lambda group: found)


def test_smtp_is_there() -> None:
    assert load_providers()["smtp"].label == "Mail server (SMTP)"


def test_entry_point_is_loaded_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    announce(monkeypatch, ("recording", "massmail_plugin.providers.recording:RecordingProvider"))
    assert sorted(load_providers()) == ["recording", "smtp"]


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (("smtp", "massmail_plugin.providers.smtp:SmtpProvider"), "there already"),
        (("other", "massmail_plugin.providers.recording:RecordingProvider"), "both names must be the same"),
        (("odd", "massmail_plugin.providers.register:GROUP"), "is no provider: it lacks name, label, open, probe"),
        (("gone", "massmail_plugin.no_such_module:Provider"), "cannot be loaded"),
    ],
)
def test_entry_point_that_cannot_be_used_is_named(
    monkeypatch: pytest.MonkeyPatch, entry: tuple[str, str], words: str
) -> None:
    announce(monkeypatch, entry)
    with pytest.raises(SetupError, match=words) as caught:
        load_providers()
    assert entry[0] in str(caught.value)


def test_recording_keeps_what_was_handed(journal: Journal) -> None:
    provider = RecordingProvider()
    journal.verdict = lambda m: Hand.STOP if m.message_id == 2 else Hand.GO
    send(provider, account(25), journal, message(1), message(2), message(3))
    assert [m.message_id for m in provider.messages] == [1, 3]
    assert journal.states == [MessageState.SENT] * 2


def test_recording_can_refuse(journal: Journal) -> None:
    provider = RecordingProvider(answer=lambda m: Answer(MessageState.REFUSED))
    send(provider, account(25), journal, message())
    assert provider.messages == []
    assert journal.states == [MessageState.REFUSED]
    assert all(stage.ok for stage in provider.probe(account(25), message()))
    assert len(provider.messages) == 1
