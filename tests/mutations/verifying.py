"""Mutants of the verifier: a plan that breaks a promise must not pass it."""

from __future__ import annotations

from tests.mutations.mutant import Mutant, mutants_of

MUTANTS: tuple[Mutant, ...] = (
    *mutants_of(
        "engine/verifying/ownership.py",
        "verifying/test_ownership.py",
        [
            (
                "verifier-owned",
                "what is not ours is not changed",
                "    elif evidence.owned(snapshot) is None:",
                "    elif False:",
            ),
            (
                "verifier-manual-only",
                "automated snapshots are not changed",
                "    elif snapshot.type is not SnapshotType.MANUAL:",
                "    elif False:",
            ),
            (
                "verifier-known-only",
                "what is not in the inventory is not changed",
                "    if snapshot is None:\n        yield",
                "    if snapshot is None:\n        return\n    if False:\n        yield",
            ),
            (
                "verifier-foreign-id",
                "nothing is made where an object of others stands",
                "    if snapshot is not None and evidence.owned(snapshot) is None:",
                "    if False:",
            ),
            (
                "verifier-waits-for-its-maker",
                "what is made by the plan is changed after it",
                "        if maker.id not in evidence.waits_for(step):",
                "        if False:",
            ),
            (
                "verifier-tags",
                "tags that prove ownership are not changed",
                "    for tag in sorted(changed - may_change):",
                "    for tag in ():",
            ),
        ],
    ),
    *mutants_of(
        "engine/verifying/rules.py",
        "verifying/test_rules.py verifying/test_estranged.py",
        [
            (
                "verifier-pinned",
                "a pinned point stays",
                "        if case.marks.pin is not None:",
                "        if False:",
            ),
            (
                "verifier-two-policies",
                "two policies for one database delete nothing",
                "        if len(case.family.takers) > 1:",
                "        if False:",
            ),
            (
                "verifier-held",
                "a hold keeps a point",
                "            if say.terms.hold is not None:",
                "            if False:",
            ),
            (
                "verifier-unmanaged",
                "unmanaged points stay",
                "        elif case.unmanaged:",
                "        elif False:",
            ),
            (
                "verifier-keep-rules",
                "a point that a rule keeps stays",
                "            if case.marks.slot in self._decide(sure, keep, say):",
                "            if False:",
            ),
            (
                "verifier-what-is-sure",
                "points count that are there when a delete is done",
                "            sure = slots.counted | self._made_before(case, slots)",
                "            sure = slots.counted | frozenset(slots.planned)",
            ),
            (
                "verifier-orphans-keep-for",
                "orphans stay for keep_for",
                "            elif gone_since > orphans.keep_for.before(now):",
                "            elif False:",
            ),
            (
                "verifier-orphans-keep-last",
                "the last orphans stay",
                "            if case.marks.slot in newest[: orphans.keep_last]:",
                "            if False:",
            ),
            (
                "verifier-orphans-since",
                "orphans that nobody has marked stay",
                "            if gone_since is None:\n                yield",
                "            if gone_since is None:\n                continue\n"
                "            if False:\n                yield",
            ),
        ],
    ),
    *mutants_of(
        "engine/verifying/bases.py",
        "verifying/test_bases.py",
        [
            (
                "verifier-bases",
                "a base stays until its successor is there",
                "            if not any(is_newer):",
                "            if False:",
            ),
            (
                "verifier-bases-by-data",
                "a successor has newer data",
                "[_not_before(one.data, own.data) for one in followers]",
                "[True]",
            ),
            (
                "verifier-bases-by-making",
                "a successor was made later",
                "[_not_before(one.made, own.made) for one in followers]",
                "[True]",
            ),
            (
                "verifier-bases-confirmed",
                "a successor's zone is confirmed",
                "                confirmed = held.marks.zone_checked or chain.zone == UNKNOWN_ZONE",
                "                confirmed = True",
            ),
            (
                "verifier-bases-that-stay",
                "a successor is not deleted itself",
                "                if held.snapshot.arn not in self._evidence.deleting:",
                "                if True:",
            ),
            (
                "verifier-bases-waited-for",
                "a planned successor is waited for",
                "            if one.step.id in waited_for:",
                "            if True:",
            ),
            (
                "verifier-bases-idle",
                "a chain in use is not idle",
                "        return all(time is not None and time + idle_after <= self._evidence.now"
                " for time in times)",
                "        return True",
            ),
        ],
    ),
    *mutants_of(
        "engine/verifying/readings.py",
        "verifying/test_readings.py planning/test_under_fire.py",
        [
            (
                "readers-of-hubs",
                "what an unread target may be copying from a hub stays",
                " or say.terms.snapshots.topology is Topology.CHEAPEST\n",
                "\n",
            ),
            (
                "verifier-read-place",
                "what lies where nobody could read stays",
                "    if not sources.is_read(case.location):",
                "    if False:",
            ),
            (
                "verifier-finished",
                "what is neither available nor failed stays",
                "    if snapshot.state not in DELETABLE:",
                "    if False:",
            ),
            (
                "verifier-origin-in-flight",
                "the origin of something in flight stays",
                "    if maker is not None:",
                "    if False:",
            ),
            (
                "verifier-origin-planned",
                "the origin of a planned copy goes after it",
                "        if step.id not in evidence.waits_for(case.step):",
                "        if False:",
            ),
            (
                "verifier-read-source",
                "what nobody could look for is not gone",
                "    if case.family.standing in UNKNOWN_SOURCE and not case.retired:",
                "    if False:",
            ),
            (
                "verifier-read-targets",
                "what an unread target may be copying stays",
                "    for target in sorted(_possible_readers(case, evidence)):",
                "    for target in ():",
            ),
            (
                "verifier-read-shared",
                "what an unread account may be copying stays",
                "        if not places or not all(sources.is_read(place)"
                " for place in sorted(places)):",
                "        if False:",
            ),
            (
                "verifier-read-while-there-is-room",
                "what an unread target may want stays while there is room",
                "    if case.location not in evidence.short_of_room:",
                "    if False:",
            ),
            (
                "verifier-read-sister",
                "what a sister region may be copying stays for a week",
                "    return frozenset() if over else unmarked",
                "    return frozenset()",
            ),
        ],
    ),
    *mutants_of(
        "engine/verifying/evidence.py",
        "verifying/test_automated.py verifying/test_failovers.py",
        [
            (
                "verifier-automated-database",
                "a database of the same name stays as it is",
                "(one.arn, one.resource_id) == (step.arn, step.source.resource_id)",
                "one.arn == step.arn",
            ),
        ],
    ),
    *mutants_of(
        "engine/verifying/failovers.py",
        "verifying/test_failovers.py",
        [
            (
                "verifier-failover-one-policy",
                "two policies decide nothing about failing back",
                "    if len(policies) != 1:",
                "    if not policies:",
            ),
            (
                "verifier-failover-window",
                "nothing is failed over outside of its maintenance window",
                "    if not _is_open(instance.maintenance_window, evidence):",
                "    if False:",
            ),
            (
                "verifier-failover-quiet",
                "nothing is failed over within the quiet time",
                "        if told and evidence.now - event.at < wanted.quiet:",
                "        if False:",
            ),
            (
                "verifier-failover-pending",
                "nothing is failed over while something is pending",
                "or not instance.multi_az or instance.pending:",
                "or not instance.multi_az:",
            ),
        ],
    ),
    *mutants_of(
        "engine/verifying/automated.py",
        "verifying/test_automated.py",
        [
            (
                "verifier-automated-one-policy",
                "two policies decide nothing about automated backups",
                "    if len(policies) != 1:",
                "    if not policies:",
            ),
            (
                "verifier-automated-aws-backup",
                "what AWS Backup decides about is not changed",
                "    if instance.aws_backup_arn is not None:",
                "    if False:",
            ),
            (
                "verifier-automated-parameters",
                "automated backups are changed by known parameters only",
                "sorted(set(step.parameters) - known)",
                "()",
            ),
            (
                "verifier-automated-retention",
                "automated backups are kept as long as the policy says",
                "    if days not in (None, wanted.retention_days):",
                "    if False:",
            ),
            (
                "verifier-automated-replicas",
                "automated backups that feed replicas are not turned off",
                "    if days == 0 and instance.replicas:",
                "    if False:",
            ),
            (
                "verifier-replication-place",
                "automated backups are replicated where the policy says",
                "    if there != aim or there.account != instance.location.account:",
                "    if False:",
            ),
            (
                "verifier-replication-unsaid",
                "replication goes on where the policy says nothing of it",
                "    if replication is Replicating.AS_IT_IS:",
                "    if False:",
            ),
            (
                "verifier-replication-anew",
                "replication that the policy wants goes on",
                "    if aim == there and not _started_anew(step, evidence):",
                "    if False:",
            ),
        ],
    ),
    *mutants_of(
        "engine/verifying/adoption.py",
        "planning/test_adoption.py",
        [
            (
                "verifier-adoption-tags",
                "adoption only adds tags",
                ' or step.parameters.keys() != {"Tags"}',
                "",
            ),
            (
                "verifier-adoption-owned",
                "what is the engine's already is not adopted",
                "    if owned_marks(found, estate) is not None:",
                "    if False:",
            ),
            (
                "verifier-adoption-proof",
                "an adoption proves what its tags say",
                "    if marks.adopted != adoption_proof(marks, found.arn):",
                "    if False:",
            ),
            (
                "verifier-adoption-origin",
                "a copy is adopted as one of its origin",
                "        if marks.origin != found.source_snapshot:",
                "        if False:",
            ),
            (
                "verifier-adoption-slot",
                "a point is adopted with the time it was taken",
                "    if found.taken_at is None"
                " or marks.slot != found.taken_at.replace(microsecond=0):",
                "    if False:",
            ),
        ],
    ),
)
