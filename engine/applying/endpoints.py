"""Whether a run talks to a stand-in on this machine, or to AWS."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

from engine.aws.clients import Clients
from engine.aws.roles import Purpose
from engine.inventory.records import Location


def all_on_loopback(
    clients: Clients, locations: Iterable[Location], state: Location | None
) -> bool:
    """Tell whether every call of a run would stay on this machine.

    Args:
        clients: what it calls with.
        locations: what it reads and changes.
        state: where its lock and journal are, None for this machine.
    """
    if state is not None and not is_loopback(clients.s3(state, Purpose.CHANGE).meta.endpoint_url):
        return False
    return all(
        is_loopback(client.meta.endpoint_url)
        for at in locations
        # Whatever the role, a service has one endpoint in a region.
        for client in (clients.rds(at), clients.sts(at))
    )


def is_loopback(url: str) -> bool:
    """Tell whether a URL names this machine, without asking a name server."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
