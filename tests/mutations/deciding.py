"""Mutants of matching, retention, orphans, bridges, copies and forecasts."""

from __future__ import annotations

from tests.mutations.mutant import Mutant, mutants_of

MUTANTS: tuple[Mutant, ...] = (
    *mutants_of(
        "engine/planning/retaining.py",
        "planning/test_retention.py planning/test_unmanaged.py planning/test_bridges.py"
        " planning/test_failed_and_bridges.py planning/test_match.py",
        [
            (
                "displacing-point-in-flight",
                "a point stays until what displaces it is available",
                "        elif coming:",
                "        elif False:",
            ),
            (
                "displacing-point-planned",
                "a delete waits for the points that displace its victim",
                "            after = tuple(p.step for p in planned)",
                "            after = ()",
            ),
            (
                "two-pass-first",
                "what is kept before goes only after what displaces it",
                "        elif not any(verdicts.before(rule, holding.slot) for rule in rules):",
                "        elif True:",
            ),
            (
                "two-pass-second",
                "what is planned counts for what stays",
                "    expected = available | {h.slot for h in coming} | {p.slot for p in planned}",
                "    expected = available",
            ),
            (
                "rules-of-the-maker",
                "the policy that made a point has a say",
                "    return (current, made_under)",
                "    return (current,)",
            ),
            (
                "unmanaged-policy-gone",
                "points of a removed policy are unmanaged",
                "    if maker is None:\n        return UnmanagedReason.POLICY_GONE\n",
                "    if maker is None and current is not None:\n        return (current,)\n",
            ),
            (
                "unmanaged-target-dropped-by-its-maker",
                "points at a target that their policy dropped are unmanaged",
                "    if made_under is None:\n        return UnmanagedReason.TARGET_DROPPED",
                "    if made_under is None:\n        return (current,)",
            ),
            (
                "unmanaged-unmatched",
                "points of a database that nothing matches are unmanaged",
                "        return _judge_unmatched(draft, world)",
                "        return []",
            ),
            (
                "unknown-status-of-points",
                "what is not available is never removed",
                "        elif not holding.is_available:",
                "        elif False:",
            ),
            (
                "bridge-still-wanted",
                "a bridge stays while a target wants its slot",
                "    waiting = [d for d in demands if holding.slot in d.missing"
                " and holding.slot not in d.sent]",
                "    waiting: list[Demand] = []",
            ),
            (
                "bridge-in-flight",
                "a bridge on its way is not removed",
                "    if not holding.is_available:\n        draft.keep(",
                "    if False:\n        draft.keep(",
            ),
        ],
    ),
    *mutants_of(
        "engine/planning/removal.py",
        "planning/test_retention.py planning/test_protection.py planning/test_failed_and_bridges.py"
        " planning/test_order.py",
        [
            (
                "unknown-status-is-told",
                "a status that nobody knows keeps an object, and says so",
                "    if holding.state is SnapshotState.UNKNOWN:",
                "    if False:",
            ),
        ],
    ),
    *mutants_of(
        "engine/planning/unmanaged.py",
        "planning/test_unmanaged.py",
        [
            (
                "retire-names-a-policy",
                "retire: takes only points of the policy that it names",
                "        (retire.policy is None or address_matches([retire.policy], policy, None))",
                "        True",
            ),
            (
                "retire-names-locations",
                "retire: takes only points at the locations that it names",
                "            retire.locations is None\n",
                "            True\n",
            ),
            (
                "retire-names-sources",
                "retire: takes only points of the sources that it names",
                "            retire.sources is None\n",
                "            True\n",
            ),
            (
                "retire-without-condition",
                "retire: without a condition takes nothing",
                "(retire.policy, retire.sources, retire.locations) != (None, None, None)",
                "True",
            ),
            (
                "unmanaged-is-reported",
                "unmanaged points are told of in every plan",
                "        draft.leave_unmanaged(holding, code, text)\n        if retire",
                "        if retire",
            ),
        ],
    ),
    *mutants_of(
        "engine/planning/survey.py",
        "planning/test_gone_and_orphans.py planning/test_ownership_and_conflicts.py",
        [
            (
                "gone-needs-a-whole-reading",
                "a location that was not read completely says nothing of who is gone",
                "        if key not in alive and key[0] in governed"
                " and inventory.scope(key[0]).is_complete",
                "        if key not in alive and key[0] in governed",
            ),
            (
                "gone-is-not-unknown",
                "who could not be looked for is not gone",
                "Life.GONE if key in gone else Life.UNKNOWN, kind)",
                "Life.GONE, kind)",
            ),
            (
                "succession",
                "who takes a gone database's place is judged with it",
                "        if names:\n            ancestors",
                "        if False:\n            ancestors",
            ),
            (
                "succession-by-the-latest-name",
                "of several names the latest counts",
                "            ancestors[by_arn[max(names)[1]]].append(key)",
                "            ancestors[by_arn[min(names)[1]]].append(key)",
            ),
            (
                "succession-of-the-gone-only",
                "who is there succeeds nobody",
                "    for key in sorted(gone):",
                "    for key in sorted(owned):",
            ),
        ],
    ),
    *mutants_of(
        "engine/planning/orphans.py",
        "planning/test_gone_and_orphans.py planning/test_unmanaged.py",
        [
            (
                "orphans-keep-for",
                "orphans stay for keep_for",
                "        if since > orphans.keep_for.before(world.now):",
                "        if False:",
            ),
            (
                "orphans-keep-last",
                "the last orphans stay at each location",
                "        if ranks.get(holding.arn, orphans.keep_last) < orphans.keep_last:",
                "        if False:",
            ),
            (
                "orphans-of-no-policy",
                "orphans whose policy is gone are unmanaged",
                "    if maker is None:\n        return UnmanagedReason.POLICY_GONE,"
                " policy_gone(holding)",
                "    if maker is None:\n        return None",
            ),
            (
                "orphans-at-a-dropped-target",
                "orphans at a target that their policy dropped are unmanaged",
                "        if all(route.location != holding.location for route in routes):",
                "        if False:",
            ),
        ],
    ),
    *mutants_of(
        "engine/planning/matching.py",
        "planning/test_gone_and_orphans.py planning/test_match.py",
        [
            (
                "orphans-under-every-possible-terms",
                "orphans go only if they may go under every override",
                "                (perhaps if asks else certain).append(index)",
                "                certain.extend([] if asks else [index])",
            ),
        ],
    ),
    *mutants_of(
        "engine/planning/copying.py",
        "planning/test_copies.py planning/test_targets.py planning/test_bridges.py"
        " planning/test_ownership_and_conflicts.py",
        [
            (
                "one-copy-at-a-time",
                "one copy per source and target is on its way",
                "    if on_its_way is not None:",
                "    if False:",
            ),
            (
                "nothing-to-an-unread-target",
                "nothing is sent to a target that was not read",
                "    if world.scope(route.location).snapshots is None:",
                "    if False:",
            ),
            (
                "nothing-older-than-its-oldest",
                "a target is sent nothing older than its oldest",
                "        return [o for o in eligible if o.slot > oldest]",
                "        return list(eligible)",
            ),
            (
                "nothing-sent-to-be-removed",
                "nothing is sent that the target would not keep",
                "    wanted = [o for o in candidates if o.slot in kept]",
                "    wanted = list(candidates)",
            ),
            (
                "one-bridge-per-origin",
                "one bridge serves all targets",
                "    planned = next((p for p in draft.planned if _is_bridge_of(p, origin)), None)",
                "    planned = None",
            ),
            (
                "bridge-on-its-way",
                "a bridge that is on its way is waited for",
                "    if ready is None and bridges:",
                "    if False:",
            ),
            (
                "conflict-of-a-copy",
                "an object that is not ours covers the slot of a copy",
                "    if foreign is not None:\n        draft.conflict(foreign.arn,"
                " foreign.location, origin.slot)",
                "    if False:\n        draft.conflict(foreign.arn, foreign.location, origin.slot)",
            ),
        ],
    ),
    *mutants_of(
        "engine/planning/forecasting.py",
        "planning/test_forecast.py",
        [
            (
                f"certainty-{name}",
                f"a forecast is not certain: {name}",
                f"lambda f: {old},\n",
                f"lambda f: {new},\n",
            )
            for name, old, new in (
                ("encrypts", "f.encrypts", "False"),
                ("zone-unknown", "f.new.marks.zone == UNKNOWN_ZONE", "False"),
                ("key-unknown", "UNKNOWN_KEY in f.new.marks.keys", "False"),
                (
                    "automated",
                    "f.origin is None and not f.same_chain and f.automated_in_zone",
                    "False",
                ),
                (
                    "unplaced",
                    "f.origin is None and not f.same_chain and f.unplaced_neighbour",
                    "False",
                ),
                ("first", "not f.same_chain", "False"),
                ("origin-full", "f.origin_verdict is Verdict.FULL", "False"),
                ("origin-unknown", "f.origin_verdict is Verdict.UNKNOWN", "False"),
                ("origin-likely", "f.origin_verdict is Verdict.LIKELY_INCREMENTAL", "False"),
                ("unchecked", "not f.checked", "False"),
                ("other-key", "f.other_keys", "False"),
                ("zone-changed", "f.origin is not None and f.zone_changed", "False"),
                (
                    "newest-elsewhere",
                    "f.origin is not None and not f.newest_same_chain",
                    "False",
                ),
            )
        ],
    ),
)
