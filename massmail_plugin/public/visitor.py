"""Who asks, as far as it can be told from the request. Pages enter; nothing is committed."""

from flask import request

from massmail_plugin.sign_ups import Visitor


def visitor() -> Visitor:
    """Network address and program. Behind a proxy the host has to see to it that the address is the visitor's."""
    return Visitor(request.remote_addr or "", request.user_agent.string)
