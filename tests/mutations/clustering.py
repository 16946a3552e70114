"""What is different about DB clusters, broken."""

from __future__ import annotations

from tests.mutations.mutant import Mutant, mutants_of

MUTANTS: tuple[Mutant, ...] = (
    *mutants_of(
        "engine/planning/survey.py",
        "planning/test_clusters.py",
        [
            (
                "late-copies-of-clusters",
                "a copy made late stands for no later slot of its cluster",
                "    if is_copy and kind_of(snapshot.arn) is Kind.CLUSTER:",
                "    if False:",
            ),
        ],
    ),
    *mutants_of(
        "engine/planning/room.py",
        "planning/test_clusters.py",
        [
            (
                "quota-of-each-kind",
                "instances and clusters have each a quota of their own",
                "if kind_of(step.arn) is world.kind]",
                "]",
            ),
        ],
    ),
    *mutants_of(
        "engine/planning/clusters.py",
        "planning/test_clusters.py",
        [
            (
                "unencrypted-clusters-stay",
                "no key is asked for where AWS refuses one",
                "    return origin.kms_key is not None or kind_of(origin.arn) is Kind.INSTANCE",
                "    return True",
            ),
            (
                "multi-az-clusters-stay",
                "AWS neither copies nor shares Multi-AZ DB clusters",
                "    return database is not None and source.kind is Kind.CLUSTER"
                " and not is_aurora(database)",
                "    return False",
            ),
        ],
    ),
    *mutants_of(
        "engine/planning/protecting.py",
        "planning/test_clusters.py",
        [
            (
                "clusters-have-no-bases",
                "no snapshot of a cluster stays for another one's sake",
                "if one not in _OF_CHAINS)",
                ")",
            ),
        ],
    ),
    *mutants_of(
        "engine/verifying/verify.py",
        "planning/test_clusters.py",
        [
            (
                "verifier-sees-clusters",
                "steps on clusters are judged by what exists of clusters",
                "Evidence(steps, documents.of(kind), inventory.of(kind), now)",
                "Evidence(steps, documents.of(Kind.INSTANCE), inventory.of(Kind.INSTANCE), now)",
            ),
        ],
    ),
    *mutants_of(
        "engine/applying/executor.py",
        "applying/test_clusters.py",
        [
            (
                "five-copies-of-clusters",
                "five copies of clusters go to a location at once",
                "            most = min(most, CLUSTER_COPIES_IN_FLIGHT)",
                "            pass",
            ),
        ],
    ),
)
