"""What a test does where a program it needs is missing: skip with a reason, or fail if it must be there."""

import os
from typing import NoReturn

import pytest


def need(kind: str, reason: str) -> NoReturn:
    """Skip the test that lacks `kind` (postgresql, redis, chromium, mailservers); fail if MASSMAIL_REQUIRE lists it."""
    __tracebackhide__ = True
    required = {name.strip() for name in os.environ.get("MASSMAIL_REQUIRE", "").split(",")}
    if kind in required:
        pytest.fail(f"MASSMAIL_REQUIRE says {kind} must be here. {reason}", pytrace=False)
    pytest.skip(f"{kind}: {reason}")
