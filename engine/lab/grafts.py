"""Where the lab is put into moto: every place in one list.

Nothing else of moto is changed. `tests/lab/test_contract.py` tells when a newer moto does one of
these things by itself.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from engine.lab.callers import Callers
from engine.lab.front import Application
from engine.lab.world import World


def graft(world: World, callers: Callers) -> Application:
    """Put the lab's backends and answers into moto; return moto's application.

    To be called before moto has made a backend: backends that exist are not replaced.
    """
    from moto.kms.models import kms_backends
    from moto.rds.models import rds_backends
    from moto.sts.models import sts_backends

    from engine.lab.rds.backend import LabBackend
    from engine.lab.rds.keys import LabKms
    from engine.lab.rds.kms_responses import LabKmsResponse
    from engine.lab.rds.responses import LabRdsResponse
    from engine.lab.rds.sharing import Shares
    from engine.lab.sts import LabSts, LabStsResponse

    LabBackend.world = world
    LabBackend.shares = Shares()
    LabBackend.dispatch = LabRdsResponse.dispatch
    LabKms.dispatch = LabKmsResponse.dispatch
    LabSts.callers = callers
    LabSts.dispatch = LabStsResponse.dispatch
    _remember_regions()
    _remember_methods()
    _make_only_what_backups_need()
    rds_backends.backend = LabBackend
    kms_backends.backend = LabKms
    sts_backends.backend = LabSts
    return _dispatcher()


def forget_everything() -> None:
    """Let everything that moto's backends hold be gone."""
    from moto.core.base_backend import BackendDict
    from moto.core.model_instances import reset_model_data
    from moto.ec2.models.subnets import Subnet

    from engine.lab.rds.backend import LabBackend
    from engine.lab.rds.sharing import Shares

    BackendDict.reset()
    reset_model_data()
    # It remembers every subnet there ever was, and each of them everything around it.
    Subnet._base_avail_ip_iterator.cache_clear()
    LabBackend.shares = Shares()


def _remember_regions() -> None:
    """Let a new account cost nothing: moto reads every service's regions again for each."""
    from moto.core.base_backend import AccountSpecificBackend

    read = AccountSpecificBackend._generate_regions
    known: dict[str, list[str]] = {}

    def regions(self: AccountSpecificBackend[Any], service_name: str) -> list[str]:
        if service_name not in known:
            known[service_name] = read(self, service_name)
        return known[service_name]

    AccountSpecificBackend._generate_regions = regions  # type: ignore[assignment] # a graft


def _remember_methods() -> None:
    """Let a call cost less: moto lists all methods of a service's answers for each."""
    from moto.core import responses

    responses.method_names_from_class = cache(responses.method_names_from_class)  # type: ignore[attr-defined] # a graft


def _make_only_what_backups_need() -> None:
    """Let a new account and key cost little: no machine images, no RSA pair behind an AES key."""
    import moto.kms.models as kms
    from moto.kms.utils import generate_private_key

    os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")

    def pair(key_spec: str) -> Any:
        return None if key_spec == "SYMMETRIC_DEFAULT" else generate_private_key(key_spec)

    kms.generate_private_key = pair  # type: ignore[attr-defined] # a graft


def _dispatcher() -> Application:
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication

    class Dispatcher(DomainDispatcherApplication):
        """moto's, which remembers what it finds out about a host: it reads a folder each time."""

        def __init__(self) -> None:
            super().__init__(_quiet_app)
            self._known: dict[str | None, Any] = {}

        def get_backend_for_host(self, host: str | None) -> Any:
            if host not in self._known:
                self._known[host] = super().get_backend_for_host(host)
            return self._known[host]

    application: Application = Dispatcher()
    return application


def _quiet_app(service: Any) -> Any:
    """Make moto's application of a service tell of gaps by status, not by a debugger's page."""
    from flask import Response
    from moto.moto_server.werkzeug_app import create_backend_app

    app = create_backend_app(service)
    app.debug = False

    def not_implemented(_: Exception) -> Response:
        return Response("not implemented", 501, content_type="text/html")

    app.register_error_handler(NotImplementedError, not_implemented)
    return app
