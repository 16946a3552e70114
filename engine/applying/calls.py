"""The API calls that a step consists of, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, assert_never

from engine.applying.ports import Cloud
from engine.errors import EngineError
from engine.inventory.records import Kind, Location, kind_of
from engine.plans.codes import OF_INSTANCES, Action
from engine.plans.parameters import names_for
from engine.plans.plan import Step


@dataclass(frozen=True, slots=True)
class Create:
    """CreateDBSnapshot."""

    snapshot: str
    instance: str
    tags: Mapping[str, str]
    kind: Kind = Kind.INSTANCE


@dataclass(frozen=True, slots=True)
class Copy:
    """CopyDBSnapshot."""

    snapshot: str
    origin: str
    key: str | None
    tags: Mapping[str, str]
    option_group: str | None = None
    kind: Kind = Kind.INSTANCE


@dataclass(frozen=True, slots=True)
class Share:
    """ModifyDBSnapshotAttribute, adding."""

    snapshot: str
    accounts: tuple[str, ...]
    kind: Kind = Kind.INSTANCE


@dataclass(frozen=True, slots=True)
class Unshare:
    """ModifyDBSnapshotAttribute, removing."""

    snapshot: str
    accounts: tuple[str, ...]
    kind: Kind = Kind.INSTANCE


@dataclass(frozen=True, slots=True)
class Delete:
    """DeleteDBSnapshot."""

    snapshot: str
    kind: Kind = Kind.INSTANCE


@dataclass(frozen=True, slots=True)
class Tag:
    """AddTagsToResource."""

    arn: str
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Untag:
    """RemoveTagsFromResource."""

    arn: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ModifyBackups:
    """ModifyDBInstance, retention and window of automated backups only; None is left as it is."""

    instance: str
    retention_days: int | None
    window: str | None


@dataclass(frozen=True, slots=True)
class ReplicateBackups:
    """StartDBInstanceAutomatedBackupsReplication, in the region that receives."""

    instance_arn: str
    retention_days: int
    key: str | None


@dataclass(frozen=True, slots=True)
class StopReplication:
    """StopDBInstanceAutomatedBackupsReplication, in the region that receives."""

    instance_arn: str


@dataclass(frozen=True, slots=True)
class FailOver:
    """RebootDBInstance, always with ForceFailover."""

    instance: str


Call = (
    Create
    | Copy
    | Share
    | Unshare
    | Delete
    | Tag
    | Untag
    | ModifyBackups
    | ReplicateBackups
    | StopReplication
    | FailOver
)

OPERATIONS: dict[type[Call], str] = {
    Create: "CreateDBSnapshot",
    Copy: "CopyDBSnapshot",
    Share: "ModifyDBSnapshotAttribute",
    Unshare: "ModifyDBSnapshotAttribute",
    Delete: "DeleteDBSnapshot",
    Tag: "AddTagsToResource",
    Untag: "RemoveTagsFromResource",
    ModifyBackups: "ModifyDBInstance",
    ReplicateBackups: "StartDBInstanceAutomatedBackupsReplication",
    StopReplication: "StopDBInstanceAutomatedBackupsReplication",
    FailOver: "RebootDBInstance",
}
_OF_SNAPSHOTS = (Create, Copy, Share, Unshare, Delete)

_RETENTION, _WINDOW = "BackupRetentionPeriod", "PreferredBackupWindow"
_SOURCE = "SourceDBInstanceArn"
_FORCED = "ForceFailover"


def operation(call: Call) -> str:
    """Return the name of the API operation behind a call."""
    name = OPERATIONS[type(call)]
    is_of_cluster = isinstance(call, _OF_SNAPSHOTS) and call.kind is Kind.CLUSTER
    return name.replace("DBSnapshot", "DBClusterSnapshot") if is_of_cluster else name


def described(call: Call) -> dict[str, Any]:
    """Return a call's arguments as the journal keeps them; the kind where it is not the usual."""
    return {name: value for name, value in asdict(call).items() if value is not Kind.INSTANCE}


def send(call: Call, cloud: Cloud, at: Location) -> None:
    """Make the call; raises CloudError."""
    match call:
        case Create(snapshot, instance, tags, kind):
            cloud.create(at, snapshot, instance=instance, tags=tags, kind=kind)
        case Copy():
            _send_copy(call, cloud, at)
        case Share(snapshot, accounts, kind):
            cloud.share(at, snapshot, accounts, kind)
        case Unshare(snapshot, accounts, kind):
            cloud.unshare(at, snapshot, accounts, kind)
        case Delete(snapshot, kind):
            cloud.delete(at, snapshot, kind)
        case Tag(arn, tags):
            cloud.tag(at, arn, tags)
        case Untag(arn, keys):
            cloud.untag(at, arn, keys)
        case ModifyBackups(instance, days, window):
            cloud.modify_backups(at, instance, retention_days=days, window=window)
        case ReplicateBackups(arn, days, key):
            cloud.replicate_backups(at, arn, retention_days=days, key=key)
        case StopReplication(arn):
            cloud.stop_replication(at, arn)
        case FailOver(instance):
            cloud.fail_over(at, instance)
        case _:
            assert_never(call)


def _send_copy(call: Copy, cloud: Cloud, at: Location) -> None:
    cloud.copy(
        at,
        call.snapshot,
        origin=call.origin,
        key=call.key,
        tags=call.tags,
        option_group=call.option_group,
        kind=call.kind,
    )


def origin_of(step: Step) -> str:
    """Return the ARN that a copy step copies."""
    return _text(step, names_for(step.arn).origin)


def insist_on_one_object(step: Step) -> None:
    """See that a step's ARN, place, name and parameters are about one object.

    Preconditions go by the ARN and calls by the name, so a plan in which they differ could touch
    what was never checked.

    Raises:
        EngineError: they differ, which they never do in a plan written by the engine.
    """
    if step.action in OF_INSTANCES:
        insist_on_one_instance(step)
        return
    names = names_for(step.arn)
    named = [
        step.parameters[name] for name in (names.snapshot, names.target) if name in step.parameters
    ]
    what = "cluster-snapshot" if kind_of(step.arn) is Kind.CLUSTER else "snapshot"
    place = f":{step.location.region}:{step.location.account}:{what}:{step.snapshot}"
    if not step.arn.endswith(place) or any(name != step.snapshot for name in named):
        raise EngineError(
            "the plan's step is about several objects at once",
            where=step.id,
            why=", ".join([step.arn, step.snapshot, *map(str, named)]),
            fix="make the plan again with `engine plan -out`",
        )


def insist_on_one_instance(step: Step) -> None:
    """See that a step on an instance is about the one of its ARN, in its account.

    Raises:
        EngineError: it is about another one, which no plan written by the engine is.
    """
    parts = step.arn.split(":", 6)
    named = {step.parameters.get(_SOURCE, step.arn), step.arn}
    is_one = len(parts) == 7 and len(named) == 1 and parts[4] == step.location.account
    if is_one and step.action in {Action.MODIFY_BACKUPS, Action.FAIL_OVER}:
        name = step.parameters.get("DBInstanceIdentifier")
        is_one = parts[3] == step.location.region and parts[5:] == ["db", name]
    if not is_one or step.snapshot:
        raise EngineError(
            "the plan's step is about several objects at once",
            where=step.id,
            why=", ".join(sorted(map(str, named))),
            fix="make the plan again with `engine plan -out`",
        )


def calls_of(step: Step, origin_tags: Mapping[str, str]) -> tuple[Call, ...]:
    """Return the calls of a step in their order; `origin_tags` are those of a copy's origin now.

    A share is written down before it is granted and struck out after it is taken back, so that
    `engine:shared` never names too few accounts. That a policy's share was granted is written down
    afterwards.

    Raises:
        EngineError: the step lacks a parameter, which a plan written by the engine never does.
    """
    names, kind = names_for(step.arn), kind_of(step.arn)
    match step.action:
        case Action.CREATE:
            instance = _text(step, names.database)
            return (Create(_text(step, names.snapshot), instance, _tags(step), kind),)
        case Action.COPY:
            return (_copy(step, origin_tags),)
        case Action.SHARE:
            shared = Share(step.snapshot, _texts(step, "ValuesToAdd"), kind)
            return (*_tag_calls(step), shared, *_tag_calls_afterwards(step))
        case Action.UNSHARE:
            unshared = Unshare(step.snapshot, _texts(step, "ValuesToRemove"), kind)
            return (unshared, *_tag_calls(step))
        case Action.DELETE:
            return (Delete(_text(step, names.snapshot), kind),)
        case Action.TAG:
            return _tag_calls(step)
        case Action.MODIFY_BACKUPS:
            return (_modify_backups(step),)
        case Action.REPLICATE_BACKUPS:
            days = _days(step)
            if days is None:
                raise _unusable(step, _RETENTION)
            return (ReplicateBackups(_text(step, _SOURCE), days, _optional_text(step, "KmsKeyId")),)
        case Action.STOP_REPLICATION:
            return (StopReplication(_text(step, _SOURCE)),)
        case Action.FAIL_OVER:
            return (_fail_over(step),)
        case _:
            assert_never(step.action)


def _modify_backups(step: Step) -> ModifyBackups:
    days, window = _days(step), _optional_text(step, _WINDOW)
    strange = set(step.parameters) - {"DBInstanceIdentifier", _RETENTION, _WINDOW}
    if strange or (days is None and window is None):
        # Above all never ApplyImmediately, which would apply what others left pending.
        raise _unusable(step, min(strange, default=_RETENTION))
    return ModifyBackups(_text(step, "DBInstanceIdentifier"), days, window)


def _fail_over(step: Step) -> FailOver:
    strange = set(step.parameters) - {"DBInstanceIdentifier", _FORCED}
    if strange or step.parameters.get(_FORCED) is not True:
        raise _unusable(step, min(strange, default=_FORCED))
    return FailOver(_text(step, "DBInstanceIdentifier"))


def _days(step: Step) -> int | None:
    value = step.parameters.get(_RETENTION)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise _unusable(step, _RETENTION)
    return value


def _optional_text(step: Step, name: str) -> str | None:
    return _text(step, name) if name in step.parameters else None


def _copy(step: Step, origin_tags: Mapping[str, str]) -> Copy:
    inherited = {
        key: origin_tags[key]
        for key in _texts(step, "TagsFromOrigin", optional=True)
        if key in origin_tags
    }
    key = step.parameters.get("KmsKeyId")
    option_group = step.parameters.get("OptionGroupName")
    return Copy(
        snapshot=_text(step, names_for(step.arn).target),
        origin=origin_of(step),
        key=str(key) if key is not None else None,
        tags={**_tags(step), **inherited},
        option_group=str(option_group) if option_group is not None else None,
        kind=kind_of(step.arn),
    )


def _tag_calls(step: Step) -> tuple[Call, ...]:
    calls: list[Call] = []
    if tags := _tags(step):
        calls.append(Tag(step.arn, tags))
    if keys := _texts(step, "RemoveTags", optional=True):
        calls.append(Untag(step.arn, keys))
    return tuple(calls)


def _tag_calls_afterwards(step: Step) -> tuple[Call, ...]:
    tags = _tags(step, "TagsAfterwards")
    return (Tag(step.arn, tags),) if tags else ()


def _text(step: Step, name: str) -> str:
    value = step.parameters.get(name)
    if not isinstance(value, str) or not value:
        raise _unusable(step, name)
    return value


def _texts(step: Step, name: str, *, optional: bool = False) -> tuple[str, ...]:
    values = step.parameters.get(name, ())
    if not isinstance(values, list | tuple) or not all(isinstance(v, str) for v in values):
        raise _unusable(step, name)
    if not values and not optional:
        raise _unusable(step, name)
    return tuple(values)


def _tags(step: Step, name: str = "Tags") -> dict[str, str]:
    tags = step.parameters.get(name, {})
    if not isinstance(tags, Mapping):
        raise _unusable(step, name)
    return {str(key): str(value) for key, value in tags.items()}


def _unusable(step: Step, name: str) -> EngineError:
    return EngineError(
        f"the plan's step has no usable parameter {name}",
        where=step.id,
        fix="make the plan again with `engine plan -out`",
    )
