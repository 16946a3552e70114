"""Sharing snapshots with accounts.

Rules: RDS User Guide, Sharing a DB snapshot; ModifyDBSnapshotAttribute reference.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.lab.rds import refusals
from engine.lab.rds.keys import find_key
from engine.lab.rds.models import AVAILABLE, MANUAL, LabSnapshot

if TYPE_CHECKING:
    from engine.lab.rds.backend import LabBackend

RESTORE = "restore"
EVERYBODY = "all"
MOST_ACCOUNTS = 20
_ACCOUNT = re.compile(r"\d{12}")


class Shares:
    """Which snapshots of a region each account has been given; all accounts' backends share it."""

    def __init__(self) -> None:
        self._given: defaultdict[tuple[str, str], dict[str, LabSnapshot]] = defaultdict(dict)

    def note(self, snapshot: LabSnapshot, accounts: Sequence[str]) -> None:
        """Note who has a snapshot now."""
        self.forget(snapshot)
        for account in accounts:
            self._given[(account, snapshot.region)][snapshot.arn] = snapshot

    def forget(self, snapshot: LabSnapshot) -> None:
        """Note that nobody has it."""
        for account in snapshot.attributes[RESTORE]:
            self._given[(account, snapshot.region)].pop(snapshot.arn, None)

    def given_to(self, account: str, region: str) -> list[LabSnapshot]:
        """Return what an account, or `all`, has been given in a region, by ARN."""
        given = self._given.get((account, region), {})
        return [given[arn] for arn in sorted(given)]


def modify(
    backend: LabBackend, identifier: str, attribute: str, add: Sequence[str], remove: Sequence[str]
) -> LabSnapshot:
    """Share and unshare a manual snapshot, as ModifyDBSnapshotAttribute does."""
    if ":" in identifier and not identifier.startswith("arn:"):
        raise refusals.parameter(f"The parameter DBSnapshotIdentifier {refusals.NOT_AN_IDENTIFIER}")
    snapshot = backend.snapshot(identifier)
    if snapshot.snapshot_type != MANUAL:
        raise refusals.snapshot_state("Only manual snapshots may be shared.")
    if attribute != RESTORE:
        raise refusals.parameter(f"Invalid snapshot attribute {attribute}")
    if set(add) & set(remove):
        raise refusals.combination(
            "A value may not appear in both the add list and remove list. "
            f"{sorted(set(add) & set(remove))}"
        )
    for value in add:
        if value != EVERYBODY and not _ACCOUNT.fullmatch(value):
            raise refusals.parameter(f"Invalid account id: {value}")
    if add:
        _check_may_be_shared(snapshot, add)
    share_with(backend, snapshot, add, remove)
    return snapshot


def share_with(
    backend: LabBackend, snapshot: LabSnapshot, add: Sequence[str], remove: Sequence[str] = ()
) -> None:
    """Change who has a snapshot, each account once."""
    before = snapshot.attributes[RESTORE]
    after = [one for one in dict.fromkeys([*before, *add]) if one not in set(remove)]
    if len(after) > MOST_ACCOUNTS:
        raise refusals.shared_quota()
    backend.shares.forget(snapshot)
    snapshot.attributes[RESTORE] = after
    backend.shares.note(snapshot, after)


# The options that stay for good and can be shared all the same (RDS User Guide, Sharing a DB
# snapshot, Option groups).
_SHAREABLE_OPTIONS = frozenset({"Timezone", "OLS"})


def _check_may_be_shared(snapshot: LabSnapshot, add: Sequence[str]) -> None:
    if snapshot.status != AVAILABLE:
        raise refusals.snapshot_state(
            f"The snapshot {snapshot.db_snapshot_identifier} is not in the available state."
        )
    if set(snapshot.persistent_options) - _SHAREABLE_OPTIONS:
        raise refusals.parameter(
            f"The snapshot {snapshot.db_snapshot_identifier} cannot be shared because its option "
            "group has permanent or persistent options."
        )
    if snapshot.kms_key_id is None:
        return
    if EVERYBODY in add:
        raise refusals.parameter("You cannot share an encrypted snapshot publicly.")
    key = find_key(snapshot.kms_key_id, snapshot.account_id, snapshot.region)
    if key is None or key.key_manager == "AWS":
        raise refusals.parameter(
            "You cannot share a snapshot that is encrypted with the default AWS KMS key of RDS."
        )
