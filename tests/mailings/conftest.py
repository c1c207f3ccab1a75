"""The small host with a mailing ready to be launched, as the tests of sending have it."""

from tests.sending.conftest import host, news, provider, template

__all__ = ["host", "news", "provider", "template"]
