"""STS as the lab has it: roles and external ids are checked, sessions are known to the front."""

from __future__ import annotations

from datetime import UTC
from typing import Any, ClassVar

from moto.sts.models import AssumedRole, STSBackend
from moto.sts.responses import TokenResponse

from engine.lab.answering import AnsweredByLab
from engine.lab.callers import UNKNOWN_ACCOUNT, Callers, Session
from engine.lab.wire import ApiError, error_answer


class RoleDeniedError(Exception):
    """A role may not be assumed."""


class LabSts(AnsweredByLab, STSBackend):
    """moto's STS, which gives sessions only of roles that there are."""

    callers: ClassVar[Callers]

    def assume_role(
        self,
        region_name: str,
        role_session_name: str,
        role_arn: str,
        policy: str,
        duration: int,
        external_id: str,
    ) -> AssumedRole:
        """Give a session of a role.

        Raises:
            RoleDeniedError: there is no such role, or it wants another external id.
        """
        parts = role_arn.split(":", 5)
        account = parts[4] if len(parts) == 6 else ""
        name = role_arn.rpartition("/")[2]
        known = account.isdecimal() and account != UNKNOWN_ACCOUNT
        if not known or not self.callers.may_assume(account, name, external_id):
            raise RoleDeniedError(role_arn)
        role = super().assume_role(
            region_name, role_session_name, role_arn, policy, duration, external_id
        )
        self.callers.sessions[role.access_key_id] = Session(
            account=role.account_id,
            role=name,
            secret=role.secret_access_key,
            token=role.session_token,
            expires=role.expiration.replace(tzinfo=UTC),
        )
        return role


class LabStsResponse(TokenResponse):
    """One call of STS."""

    def call_action(self) -> Any:
        """Answer; a role that may not be assumed is told of with AWS's status, 403."""
        try:
            return super().call_action()
        except RoleDeniedError as denied:
            message = f"The caller is not authorized to perform: sts:AssumeRole on: {denied}"
            answer = error_answer("sts", "query", ApiError(403, "AccessDenied", message))
            return answer.status, dict(answer.headers), answer.body.decode()
