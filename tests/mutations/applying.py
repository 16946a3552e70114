"""Mutants of what apply checks before it acts, of lock and journal, and of lost replies."""

from __future__ import annotations

from tests.mutations.mutant import Mutant, mutants_of

MUTANTS: tuple[Mutant, ...] = (
    *mutants_of(
        "engine/applying/preconditions.py",
        "applying/test_preconditions.py applying/test_executor.py",
        [
            (
                "check-status",
                "what a step needs has the status it needs",
                "    if condition.expected in (found.state.value, found.status):",
                "    if True:",
            ),
            (
                "check-owned",
                "what is not ours any more is left alone",
                "    if sight.marks(found) is None:\n        return _refuse(",
                "    if False:\n        return _refuse(",
            ),
            (
                "check-unpinned",
                "what was pinned meanwhile stays",
                "    if marks is None or marks.pin is None:",
                "    if True:",
            ),
            (
                "check-origin-of-nothing",
                "the origin of a copy in flight stays",
                "    readers = sight.readers(condition.arn, sight.locations)\n    if readers:",
                "    readers = sight.readers(condition.arn, sight.locations)\n    if False:",
            ),
            (
                "check-chain-successor",
                "a base goes only if its successor is of its chain",
                "    if text != condition.expected:",
                "    if False:",
            ),
            (
                "check-chain-available",
                "a base goes only if its successor is available",
                "the chain's successor, is not there\")\n    if found.state is not",
                "the chain's successor, is not there\")\n    if False and found.state is not",
            ),
            (
                "check-chain-confirmed",
                "a base goes only if its successor's zone is confirmed",
                "    if not marks.zone_checked:",
                "    if False:",
            ),
            (
                "check-instance",
                "another database under the name is not taken for the planned one",
                "    found = sight.instance(condition.arn)\n    if found is None:\n"
                '        return _refuse(condition, f"{condition.arn} is not there")\n'
                "    if found.resource_id != condition.expected:",
                "    found = sight.instance(condition.arn)\n    if found is None:\n"
                '        return _refuse(condition, f"{condition.arn} is not there")\n'
                "    if False:",
            ),
            (
                "check-zones",
                "a failover between plan and apply is noticed",
                "    if pair == condition.expected:",
                "    if True:",
            ),
            (
                "check-conflict",
                "an object that is not ours is not taken for the one to be made",
                "    if sight.marks(found) is None:\n        return Refusal(",
                "    if False:\n        return Refusal(",
            ),
            (
                "check-no-copy-to-the-account",
                "a share stays while a copy reads through it",
                "    readers = sight.readers(condition.arn, locations)\n    if readers:",
                "    readers = sight.readers(condition.arn, locations)\n    if False:",
            ),
            (
                "check-always",
                "some checks are made though a plan does not ask for them",
                "    for precondition in (*step.preconditions, *always):",
                "    for precondition in (*step.preconditions,):",
            ),
            (
                "check-deletes-anew",
                "a delete reads its victim anew",
                "        if self.action not in READ_FRESH:",
                "        if True:",
            ),
        ],
    ),
    *mutants_of(
        "engine/applying/ledger.py",
        "applying/test_ledger.py applying/test_journal.py",
        [
            (
                "state-for-deletes",
                "nothing is deleted while lock or journal cannot be reached",
                "                if not is_lost and step.action not in NEEDS_STATE:",
                "                if not is_lost:",
            ),
            (
                "state-for-unshares",
                "nothing is unshared while lock or journal cannot be reached",
                "        Action.UNSHARE,\n        Action.MODIFY_BACKUPS,",
                "        Action.MODIFY_BACKUPS,",
            ),
            (
                "state-not-for-backups",
                "backups go on while lock or journal cannot be reached",
                "                if not is_lost and step.action not in NEEDS_STATE:",
                "                if False:",
            ),
            (
                "state-is-a-problem",
                "state that cannot be reached reaches the exit code",
                "                if not is_lost:\n                    self._note(error)",
                "                if False:\n                    self._note(error)",
            ),
            (
                "lock-is-verified",
                "a run that lost its lock stops before its next call",
                "        self._lock.verify()\n",
                "",
            ),
            (
                "lock-is-verified-last",
                "a lock that was lost while the journal was written is noticed",
                "= (self._verify, announce, self._verify)",
                "= (self._verify, announce)",
            ),
        ],
    ),
    *mutants_of(
        "engine/applying/performing.py",
        "applying/test_ledger.py",
        [
            (
                "sent-soon",
                "a request that was held up after the lock was asked is not sent",
                "        return asked.seconds_to(Moment.of(self.clock)) <= SENT_WITHIN",
                "        return True",
            ),
        ],
    ),
    *mutants_of(
        "engine/applying/cloud.py",
        "applying/test_cloud.py",
        [
            (
                "too-late",
                "a request is asked for as it is about to be sent",
                "                    ask(client, self._hold_back)\n",
                "                    pass\n",
            ),
            (
                "too-late-in-doubt",
                "a request that is held back tells nothing of one that was sent before",
                "HeldBackError(TOO_LATE if self._call.requests == 0 else NO_REPLY)",
                "HeldBackError(TOO_LATE)",
            ),
        ],
    ),
    *mutants_of(
        "engine/inventory/live.py",
        "inventory/test_live.py",
        [
            (
                "zones-after-snapshots",
                "the zones of databases are read after their snapshots were seen",
                "        snapshots = self._essential(lambda: rds.list_snapshots(client, at))\n"
                "        instances = self._essential(lambda: rds.list_instances(client, at))\n",
                "        instances = self._essential(lambda: rds.list_instances(client, at))\n"
                "        snapshots = self._essential(lambda: rds.list_snapshots(client, at))\n",
            ),
        ],
    ),
    *mutants_of(
        "engine/applying/local_lock.py",
        "applying/test_lock.py",
        [
            (
                "lock-is-exclusive",
                "a lock that somebody holds is not taken",
                "            if found is None or not is_live(found, clock.now()):",
                "            if True:",
            ),
            (
                "lock-fence-grows",
                "no fence is used twice",
                "                    fence=found.fence + 1 if found else 1,",
                "                    fence=1,",
            ),
            (
                "lock-lost-is-told",
                "who lost the lock learns it",
                "        if found is None or not self._is_ours(found):",
                "        if found is None:",
            ),
        ],
    ),
    *mutants_of(
        "engine/applying/s3_lock.py",
        "applying/test_s3_lock.py",
        [
            (
                "lease-is-ours",
                "another run's lease is not renewed",
                "        return (found.fence, found.run) == (self._lease.fence, self._lease.run)",
                "        return True",
            ),
            (
                "lease-is-fresh",
                "no call begins that may end after the lease",
                "        if self._lost is None and self._is_fresh():",
                "        if self._lost is None:",
            ),
            (
                "lease-of-the-living",
                "a lease that has not run out is not taken over",
                "self.age < terms.lease + terms.grace",
                "self.age < 0",
            ),
            (
                "lease-of-the-dead",
                "a lease that ran out is taken over",
                "self.age < terms.lease + terms.grace",
                "self.age < 10 * terms.lease",
            ),
        ],
    ),
    *mutants_of(
        "engine/applying/performing.py",
        "applying/test_executor.py applying/test_preconditions.py",
        [
            (
                "lost-reply-is-looked-for",
                "a call whose reply was lost is recognised as done",
                "        if isinstance(call, Create | Copy) and trouble in _UNSURE:",
                "        if False:",
            ),
            (
                "lost-reply-of-ours-only",
                "an object of others is not taken for ours",
                "                return _Fate.MADE if refusal is None else _refused(step, refusal)",
                "                return _Fate.MADE",
            ),
            (
                "already-there",
                "what is there already is not made again",
                "        if found is not None:\n            return found\n        refusal",
                "        refusal",
            ),
            (
                "delete-checked-after-a-wait",
                "a delete that had to wait checks its victim anew",
                "if isinstance(call, Delete | ModifyBackups | FailOver):\n"
                "                # The wait",
                "if False:\n                # The wait",
            ),
            (
                "zone-confirmed-only-if-it-held",
                "a zone is confirmed only if the pair is as it was",
                "            holds = zone_pair(instance) == expected.expected",
                "            holds = True",
            ),
        ],
    ),
    *mutants_of(
        "engine/applying/performing.py",
        "applying/test_failing_over.py",
        [
            (
                "failover-once",
                "a failover of which the reply was lost is not called for twice",
                "        if isinstance(call, FailOver) and trouble in ONCE:",
                "        if False:",
            ),
        ],
    ),
    *mutants_of(
        "engine/applying/outcome.py",
        "applying/test_outcome.py",
        [
            (
                "exit-of-unread-places",
                "a place that was not read reaches the exit code",
                "        if self.problems or not self.plan.inventory.complete:",
                "        if self.problems:",
            ),
            (
                "exit-of-troubles",
                "what was wrong before the run reaches the exit code",
                "        return worst(codes | codes_of(self.troubles))",
                "        return worst(codes)",
            ),
        ],
    ),
)
