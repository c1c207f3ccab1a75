"""A missing program: a skip that says why, or a failure where it is required to be there."""

import pytest

from tests.requirements import need


def test_a_missing_kind_skips_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASSMAIL_REQUIRE", "postgresql")
    with pytest.raises(pytest.skip.Exception, match="chromium: not found"):
        need("chromium", "not found")


def test_a_required_kind_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASSMAIL_REQUIRE", "postgresql, chromium")
    with pytest.raises(pytest.fail.Exception, match=r"chromium must be here\. not found"):
        need("chromium", "not found")
