"""The sample host: the smallest honest CRM that mounts massmail-plugin; `flask --app sample_host run`."""

from sample_host.app import create_app

__all__ = ["create_app"]
