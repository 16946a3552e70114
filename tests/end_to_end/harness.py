"""The installed command against a lab, and witnesses of what came of it that are not the engine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from engine.lab.process import LabProcess
from tests.forking.programs import run_engine

REPOSITORY = Path(__file__).parents[2]
PROGRAMS = Path(sys.executable).parent
THIN = Path(__file__).parent / "thin"
SECONDS = 180.0


@dataclass(frozen=True, slots=True)
class Finished:
    """What a process left: its exit code and what it wrote."""

    code: int
    out: str
    err: str

    def json_lines(self) -> list[dict[str, Any]]:
        """Return standard output, each line of which must be a JSON object."""
        found = [json.loads(line) for line in self.out.splitlines()]
        assert all(isinstance(one, dict) for one in found)
        return found

    def outcome(self) -> dict[str, Any]:
        """Return the last line of `engine apply -json`."""
        last = self.json_lines()[-1]
        assert last["type"] == "outcome", last
        return last

    def insist(self, code: int = 0) -> Finished:
        """Return this; fail with everything it said if it ended otherwise."""
        assert self.code == code, f"exit {self.code}, not {code}\n{self.out}\n{self.err}"
        return self


@dataclass(frozen=True, slots=True)
class Seen:
    """A snapshot as a witness saw it.

    `key` is the ARN of its key, None if it is not encrypted; `shared_with` are accounts, empty for
    automated snapshots, which have no shares.
    """

    arn: str
    type: str
    status: str
    instance: str
    key: str | None
    tags: Mapping[str, str]
    shared_with: frozenset[str]

    @property
    def account(self) -> str:
        """The account it lies in."""
        return self.arn.split(":")[4]

    @property
    def region(self) -> str:
        """The region it lies in."""
        return self.arn.split(":")[3]

    @property
    def role(self) -> str | None:
        """What it says it is for the engine, None if it is nothing of it."""
        return self.tags.get("engine:role")

    @property
    def slot(self) -> str | None:
        """The slot it says it belongs to."""
        return self.tags.get("engine:slot")


Sight = dict[str, Seen]
"""All snapshots by ARN."""

Keys = Mapping[str, str | None]
"""The keys of instances by their ARNs, None for one that is not encrypted."""


@dataclass(frozen=True)
class World:
    """A lab and a folder that the engine works in.

    The engine is a process of its own, forked from one that has imported it already, or, if
    `is_installed`, the command as it is installed, which takes a second longer to start.
    """

    lab: LabProcess
    folder: Path
    account: str = "111111111111"
    region: str = "eu-west-1"
    endpoint: str | None = None
    is_installed: bool = False
    _clients: dict[tuple[str, str, str], Any] = field(default_factory=dict, repr=False)

    @property
    def environment(self) -> dict[str, str]:
        """What the engine and the AWS CLI run with: nothing of whoever runs the tests."""
        return clean_environment(self.folder) | self._access(self.account, self.region)

    def through(self, endpoint: str) -> World:
        """Return this world with its engine talking to another endpoint."""
        return replace(self, endpoint=endpoint)

    def now(self) -> str:
        """Return the lab's time as `-at` takes it."""
        return self.lab.client.now().strftime("%Y-%m-%dT%H:%M:%SZ")

    def move_to(self, when: datetime) -> None:
        """Move the lab's clock; a time that has passed already is fine."""
        if when > self.lab.client.now():
            self.lab.client.move_to(when)

    def run(self, *words: str, **more: str) -> Finished:
        """Run `engine WORDS`; `more` is added to its environment."""
        environment = self.environment | more
        if self.is_installed:
            return run_program("engine", words, self.folder, environment)
        code, out, err = run_engine(words, self.folder, environment, SECONDS)
        return Finished(code, out.decode(), err.decode())

    def plan(self, *words: str, **more: str) -> Finished:
        """Run `engine plan` at the lab's time."""
        return self.run("plan", *words, "-at", self.now(), **more)

    def apply(self, *words: str, **more: str) -> Finished:
        """Run `engine apply` at the lab's time, without a question."""
        every = ("-auto-approve", "-poll-interval", "1s", "-at", self.now())
        return self.run("apply", *words, *every, **more)

    def planned(self, *words: str) -> dict[str, Any]:
        """Return the plan as JSON."""
        plan: dict[str, Any] = json.loads(self.plan("-json", *words).insist().out)
        return plan

    def aws(self, account: str, region: str, *words: str) -> Any:
        """Return what the AWS CLI prints for an account in a region."""
        environment = self.environment | self._access(account, region)
        done = run_program("aws", (*words, "--output", "json"), self.folder, environment)
        return json.loads(done.insist().out)

    def rds(self, account: str, region: str) -> Any:
        """Return a plain boto3 client of RDS."""
        return self._client("rds", account, region)

    def kms(self, account: str, region: str) -> Any:
        """Return a plain boto3 client of KMS."""
        return self._client("kms", account, region)

    def places(self) -> tuple[tuple[str, str], ...]:
        """Return every account and region in which the lab has anything."""
        rows = self.lab.client.accounts()
        used = (row for row in rows if row["instances"] or row["snapshots"])
        return tuple(sorted({(row["account"], row["region"]) for row in used}))

    def key(self, account: str, region: str, alias: str) -> str:
        """Return the ARN of the key behind an alias."""
        answer = self.kms(account, region).describe_key(KeyId=alias)
        return str(answer["KeyMetadata"]["Arn"])

    def seen(self) -> Sight:
        """Return all snapshots of all places, as boto3 shows them."""
        found = (one for place in self.places() for one in self._seen_at(*place))
        return {one.arn: one for one in found}

    def owned(self) -> Sight:
        """Return the snapshots that say that they are the engine's."""
        return {arn: one for arn, one in self.seen().items() if one.role is not None}

    def seen_by_cli(self, account: str, region: str, asked: Container[str] | None = None) -> Sight:
        """Return the manual snapshots of one place, as the AWS CLI shows them.

        A process per snapshot tells with whom it is shared: if `asked` are given, only of these,
        and the others are shown as shared with nobody.
        """
        listed = self.aws(
            account, region, "rds", "describe-db-snapshots", "--snapshot-type", "manual"
        )
        found: Sight = {}
        for one in listed["DBSnapshots"]:
            arn, shares = one["DBSnapshotArn"], None
            if asked is None or arn in asked:
                name = ("--db-snapshot-identifier", one["DBSnapshotIdentifier"])
                shares = self.aws(account, region, "rds", "describe-db-snapshot-attributes", *name)
            found[arn] = seen_from(one, shares)
        return found

    def _seen_at(self, account: str, region: str) -> Iterable[Seen]:
        rds = self.rds(account, region)
        for page in rds.get_paginator("describe_db_snapshots").paginate():
            for one in page["DBSnapshots"]:
                name = one["DBSnapshotIdentifier"]
                shares = (
                    rds.describe_db_snapshot_attributes(DBSnapshotIdentifier=name)
                    if one["SnapshotType"] == "manual"
                    else None
                )
                yield seen_from(one, shares)

    def _access(self, account: str, region: str) -> dict[str, str]:
        variables = self.lab.environment(account, region)
        return variables | ({"AWS_ENDPOINT_URL": self.endpoint} if self.endpoint else {})

    def _client(self, service: str, account: str, region: str) -> Any:
        import boto3

        if (service, account, region) not in self._clients:
            variables = self.lab.environment(account, region)
            session = boto3.session.Session(
                aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
                region_name=region,
            )
            # The stubs know only services named by a literal.
            make: Any = session.client
            self._clients[service, account, region] = make(service, endpoint_url=self.lab.endpoint)
        return self._clients[service, account, region]


def seen_from(listed: Mapping[str, Any], shares: Mapping[str, Any] | None) -> Seen:
    """Return what a listing and an answer about shares say of a snapshot."""
    attributes = shares["DBSnapshotAttributesResult"]["DBSnapshotAttributes"] if shares else ()
    return Seen(
        arn=listed["DBSnapshotArn"],
        type=listed["SnapshotType"],
        status=listed["Status"],
        instance=listed["DBInstanceIdentifier"],
        key=listed.get("KmsKeyId"),
        tags={tag["Key"]: tag["Value"] for tag in listed["TagList"]},
        shared_with=frozenset(
            value
            for attribute in attributes
            if attribute["AttributeName"] == "restore"
            for value in attribute["AttributeValues"]
        ),
    )


def clean_environment(home: Path) -> dict[str, str]:
    """Return what any program needs, and nothing of whoever runs the tests."""
    return {
        "PATH": os.pathsep.join((str(PROGRAMS), "/usr/local/bin", "/usr/bin", "/bin")),
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PAGER": "",
    }


def run_program(
    name: str, words: Iterable[str], folder: Path, environment: Mapping[str, str]
) -> Finished:
    """Run a program of this environment to its end."""
    done = subprocess.run(
        [str(PROGRAMS / name), *words],
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    return Finished(done.returncode, done.stdout.decode(), done.stderr.decode())


def working_folder(folder: Path, documents: Path | str) -> Path:
    """Put documents, a folder of them or their text, where the engine looks for them."""
    if isinstance(documents, Path):
        shutil.copytree(documents, folder / "policies")
    else:
        (folder / "policies").mkdir(parents=True)
        (folder / "policies" / "all.yaml").write_text(documents)
    return folder


def wait_until(holds: Callable[[], bool], what: str, seconds: float = 30.0) -> None:
    """Wait until something holds; fail with `what` if it does not in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"{seconds:.0f} s later, not: {what}"
        time.sleep(0.05)


def announced(before: Sight, plan: Mapping[str, Any], keys: Keys) -> Sight:
    """Return what there is once a plan is done to the letter, by nothing but its steps.

    A snapshot whose zones the plan wants to be what they
    were when it is available is tagged `engine:az-checked`, and so are copies of it.
    """
    after = dict(before)
    for step in plan["steps"]:
        if step["withheld_by"] is None:
            _announce(after, step, keys)
    return after


def _announce(after: Sight, step: Mapping[str, Any], keys: Keys) -> None:
    arn, said = step["arn"], step["parameters"]
    match step["action"]:
        case "create_snapshot":
            instance = f"{arn.rsplit(':snapshot:', 1)[0]}:db:{said['DBInstanceIdentifier']}"
            tags = said["Tags"] | {"engine:az-checked": "true"}
            after[arn] = Seen(
                arn, "manual", "available", step["source"]["identifier"], keys[instance], tags,
                frozenset(),
            )  # fmt: skip
        case "copy_snapshot":
            origin = after[said["SourceDBSnapshotIdentifier"]]
            taken = {n: origin.tags[n] for n in said["TagsFromOrigin"] if n in origin.tags}
            after[arn] = Seen(
                arn, "manual", "available", origin.instance, said.get("KmsKeyId"),
                said["Tags"] | taken, frozenset(),
            )  # fmt: skip
        case "delete_snapshot":
            del after[arn]
        case "share_snapshot" | "unshare_snapshot" | "tag_snapshot":
            one = after[arn]
            gone = said.get("RemoveTags", ())
            kept = {name: value for name, value in one.tags.items() if name not in gone}
            shared = one.shared_with | set(said.get("ValuesToAdd", ()))
            after[arn] = replace(
                one,
                tags=kept | said.get("Tags", {}),
                shared_with=shared - set(said.get("ValuesToRemove", ())),
            )
        case action:
            raise AssertionError(f"the plan announces {action}, which nobody checks here")


def keys_of_instances(world: World) -> Keys:
    """Return the keys of all instances, as boto3 shows them."""
    return {
        one["DBInstanceArn"]: one.get("KmsKeyId")
        for place in world.places()
        for one in world.rds(*place).describe_db_instances()["DBInstances"]
    }
