"""The hand that makes things happen in a lab, and looks at it, through plain boto3."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from engine.lab.errors import LabError
from tests.chaos.nursery import Lab
from tests.chaos.records import place_of, read_deeds
from tests.chaos.story import BY_HAND, Event, Happening, Keep, PolicySaid, Trouble
from tests.end_to_end.harness import Seen, Sight, seen_from

KEYS = ("alias/app", "alias/backups", "alias/backup-share")


class Hand:
    """Whoever else works in these accounts; `home` is the place of the first database.

    Attributes:
        gone: when databases were deleted, by resource id.
        made: what was made by hand, as it was then.
        heirs: whose heirs the restored databases are, by resource id.
        tiers: what databases are tagged with as their tier, gone ones too, by resource id.
    """

    def __init__(
        self,
        lab: Lab,
        places: tuple[tuple[str, str], ...],
        home: tuple[str, str],
        log: Callable[[str], None],
    ) -> None:
        self._lab = lab
        self._places = places
        self._home = home
        self._log = log
        self._disabled: list[tuple[str, str, str]] = []
        self._number = 0
        self.gone: dict[str, datetime] = {}
        self.made: dict[str, Seen] = {}
        self.heirs: dict[str, str] = {}
        self.tiers: dict[str, str] = {}

    # -- looking ----------------------------------------------------------------------------------

    def seen(self) -> Sight:
        """Return all snapshots, as boto3 shows them."""
        return {one.arn: one for place in self._places for one in self._seen_at(*place)}

    def foreign(self) -> Sight:
        """Return all snapshots that RDS itself does not make and remove."""
        return {arn: one for arn, one in self.seen().items() if one.type != "automated"}

    def note_tiers(self) -> None:
        """Remember the tiers of the databases of now; an heir's are noted as it is made."""
        for _, one in self._databases():
            self.tiers |= _tier_of(one)

    def instances(self) -> dict[str, str]:
        """Return the ARNs of living databases by their resource ids."""
        return {one["DbiResourceId"]: one["DBInstanceArn"] for _, one in self._databases()}

    def _seen_at(self, account: str, region: str) -> Iterator[Seen]:
        rds = self._lab.boto("rds", account, region)
        for page in rds.get_paginator("describe_db_snapshots").paginate():
            for one in page["DBSnapshots"]:
                name = one["DBSnapshotIdentifier"]
                is_manual = one["SnapshotType"] == "manual"
                ask = rds.describe_db_snapshot_attributes
                yield seen_from(one, ask(DBSnapshotIdentifier=name) if is_manual else None)

    def _databases(self) -> Iterator[tuple[tuple[str, str], dict[str, Any]]]:
        """Yield places and databases, in an order that no rename changes."""
        for place in self._places:
            there = self._lab.boto("rds", *place).describe_db_instances()["DBInstances"]
            for one in sorted(there, key=lambda each: _first_name(each["DBInstanceIdentifier"])):
                yield place, one

    # -- doing ------------------------------------------------------------------------------------

    def happen(self, happening: Happening) -> None:
        """Let something happen; what the lab refuses in its present state does not."""
        try:
            told = self._do(happening)
        except (ClientError, LabError) as error:
            told = f"refused: {error}"
        self._log(f"{happening.event} {happening.which}: {told}")

    def _do(self, happening: Happening) -> str:
        event, which = happening.event, happening.which
        if event is Event.EXPIRE_SESSIONS:
            return str(self._lab.client.expire_sessions())
        if event is Event.DISABLE_KEY:
            place, alias = self._places[which % len(self._places)], KEYS[which % len(KEYS)]
            key = self._lab.boto("kms", *place).describe_key(KeyId=alias)["KeyMetadata"]["KeyId"]
            self._lab.boto("kms", *place).disable_key(KeyId=key)
            self._disabled.append((*place, key))
            return f"{place} {alias}"
        if event is Event.PIN:
            return self._pin(which)
        if event is Event.SWAP:
            return self._swap()
        databases = list(self._databases())
        if not databases:
            return "no database is left"
        if event is Event.DELETE and len(databases) < 2:
            return "it is the last one"
        place, one = databases[which % len(databases)]
        return self._do_to(event, place, one)

    def _do_to(self, event: Event, place: tuple[str, str], one: dict[str, Any]) -> str:
        name = one["DBInstanceIdentifier"]
        self._number += 1
        match event:
            case Event.FAIL_OVER | Event.STOP:
                self._lab.client.let(event.value, *place, name)
            case Event.DELETE:
                self._lab.client.let("delete", *place, name)
                self.gone[one["DbiResourceId"]] = self._lab.client.now()
                self._lab.client.forward(5)
            case Event.RENAME:
                fresh = f"{_first_name(name)}-x{self._number}"
                self._lab.client.let("rename", *place, name, fresh)
                self._lab.client.forward(5)
            case Event.TAKE_BY_HAND | Event.STEAL_TAGS:
                rds = self._lab.boto("rds", *place)
                self._take(rds, name, f"hand-{self._number}", event is Event.STEAL_TAGS)
            case _:
                raise ValueError(event)
        return f"{place} {name}"

    def _pin(self, which: int) -> str:
        """Pin a snapshot of the engine's, as somebody may with the AWS CLI."""
        made = {deed.arn for _, deed in read_deeds(self._lab.deeds()) if deed.makes}
        ours = sorted(made & self.seen().keys() - self.made.keys())
        if not ours:
            return "there is nothing to pin"
        arn = ours[which % len(ours)]
        account, region = place_of(arn)
        rds = self._lab.boto("rds", account, region)
        tags = [{"Key": "engine:pin", "Value": "by hand"}]
        rds.add_tags_to_resource(ResourceName=arn, Tags=tags)
        return arn

    def _swap(self) -> str:
        """Put a database that is restored of an old snapshot in the place of the first one."""
        place = self._home
        rds = self._lab.boto("rds", *place)
        told = rds.describe_db_snapshots(DBSnapshotIdentifier=BY_HAND)["DBSnapshots"][0]
        old = [one for _, one in self._databases() if one["DbiResourceId"] == told["DbiResourceId"]]
        if not old:
            return "it is not there"
        name: str = old[0]["DBInstanceIdentifier"]
        self._enable_keys(place)
        if old[0]["DBInstanceStatus"] == "stopped":
            # The same must come of it whatever befell the database before.
            self._lab.client.let("start", *place, name)
        self._lab.client.forward(30)
        self._number += 1
        aside = f"{_first_name(name)}-x{self._number}-old"
        self._lab.client.let("rename", *place, name, aside)
        self._lab.client.forward(5)
        fresh = rds.restore_db_instance_from_db_snapshot(
            DBInstanceIdentifier=name,
            DBSnapshotIdentifier=BY_HAND,
            MultiAZ=old[0]["MultiAZ"],
            Tags=old[0]["TagList"],
        )
        heir = fresh["DBInstance"]["DbiResourceId"]
        self.heirs[heir] = f"the heir of {told['DbiResourceId']}"
        self.tiers |= _tier_of(old[0] | {"DbiResourceId": heir})
        self._lab.client.let("delete", *place, aside)
        self.gone[told["DbiResourceId"]] = self._lab.client.now()
        self._lab.client.forward(5)
        return name

    def _take(self, rds: Any, instance: str, name: str, with_tags: bool) -> None:
        tags = [{"Key": "owner", "Value": "mara"}]
        if with_tags:
            found = rds.describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]
            ours = [one["TagList"] for one in found if _names(one["TagList"]) & {"engine:slot"}]
            tags = ours[0] if ours else tags
        rds.create_db_snapshot(DBInstanceIdentifier=instance, DBSnapshotIdentifier=name, Tags=tags)
        self._lab.client.forward(300)
        answer = rds.describe_db_snapshots(DBSnapshotIdentifier=name)["DBSnapshots"][0]
        shares = rds.describe_db_snapshot_attributes(DBSnapshotIdentifier=name)
        one = seen_from(answer, shares)
        self.made[one.arn] = one

    def make_peace(self) -> None:
        """Undo what keeps backups from being made: stopped databases, disabled keys."""
        self._lab.client.forward(10)
        for place in self._places:
            self._enable_keys(place)
        for place, one in self._databases():
            if one["DBInstanceStatus"] == "stopped":
                rds = self._lab.boto("rds", *place)
                rds.start_db_instance(DBInstanceIdentifier=one["DBInstanceIdentifier"])

    def _enable_keys(self, place: tuple[str, str]) -> None:
        for account, region, key in self._disabled:
            if (account, region) == place:
                self._lab.boto("kms", account, region).enable_key(KeyId=key)

    def trouble(self, troubles: Sequence[Trouble]) -> None:
        """Let calls go wrong from now on."""
        self._lab.client.add_faults([dict(one.order) for one in troubles])

    def end_troubles(self) -> int:
        """Let no call go wrong any more; return how many did."""
        fired = sum(int(one["fired"]) for one in self._lab.client.faults())
        self._lab.client.clear_faults()
        return fired

    # -- policies ---------------------------------------------------------------------------------

    def edited(
        self, happening: Happening, policies: tuple[PolicySaid, ...]
    ) -> tuple[PolicySaid, ...] | None:
        """Return the policies after an edit, None where the event is none."""
        edit = _EDITS.get(happening.event)
        if edit is None:
            return None
        which = happening.which % len(policies)
        return tuple(edit(one) if n == which else one for n, one in enumerate(policies))


def _shortened(policy: PolicySaid) -> PolicySaid:
    copies = tuple(
        replace(one, keep=None if one.keep is None else _halved(one.keep)) for one in policy.copies
    )
    return replace(policy, keep=_halved(policy.keep), copies=copies)


def _halved(keep: Keep) -> Keep:
    return {name: "12h" if name == "within" else max(1, n // 2) for name, n in keep.items()}


def _without_target(policy: PolicySaid) -> PolicySaid:
    return replace(policy, copies=policy.copies[1:])


def _renamed(policy: PolicySaid) -> PolicySaid:
    return replace(policy, name=f"{policy.name}x", formerly=(*policy.formerly, policy.name))


def _retired(policy: PolicySaid) -> PolicySaid:
    return replace(policy, is_retired=True)


_EDITS: dict[Event, Callable[[PolicySaid], PolicySaid]] = {
    Event.SHORTEN: _shortened,
    Event.DROP_TARGET: _without_target,
    Event.RENAME_POLICY: _renamed,
    Event.RETIRE: _retired,
}


def _tier_of(database: dict[str, Any]) -> dict[str, str]:
    tags = {tag["Key"]: tag["Value"] for tag in database["TagList"]}
    return {database["DbiResourceId"]: tags["tier"]} if "tier" in tags else {}


def _first_name(identifier: str) -> str:
    """Return the name that a database had before it got others."""
    return identifier.split("-x", maxsplit=1)[0]


def _names(tags: list[dict[str, str]]) -> set[str]:
    return {tag["Key"] for tag in tags}
