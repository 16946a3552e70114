"""What `engine init` writes: a small repository that validates and says what to change."""

from __future__ import annotations

ESTATE = """\
# What this repository governs: accounts, regions, where copies go, what every policy starts from.
# `engine schema estate` lists every field with a description and an example.
version: 1
kind: estate
name: example                    # written into the tags of every snapshot: choose it once

account_defaults:
  role: backup-engine            # the IAM role that makes, copies, shares and deletes snapshots
  read_role: backup-reader       # the IAM role that only looks: all that `engine plan` needs
  rekey: alias/backup-share      # snapshots under aws/rds are re-encrypted with it before sharing
  regions: [eu-west-1]           # where databases and snapshots are looked for

accounts:                        # put your account ids here, in quotes
  prod:  {id: "111111111111"}
  vault: {id: "222222222222"}

targets:                         # copies are encrypted with a key of the account they go to
  vault: {account: vault, region: eu-west-1, key: alias/backups}

defaults:                        # merged under every policy
  timezone: UTC
  snapshots:
    schedule: {every: 1d, window: "02:00-05:00"}
    retention: {keep: {daily: 7, weekly: 4}}
  orphans: {keep_for: 90d, keep_last: 1}   # the points of databases that were deleted

guards:                          # more than this waits for somebody's word
  max_deletes: {count: 50, percent: 20}
  min_points: 2

# state:                         # one lock and one journal for all who apply; docs/state.md
#   s3: {account: vault, bucket: example-backup-engine, prefix: state, region: eu-west-1}
"""

STANDARD = """\
# Databases with the tag backup=standard: daily points, copied into the vault account.
# `engine schema policy` lists every field with a description and an example.
version: 1
kind: policy
name: standard
select:
  tags: {backup: standard}
snapshots:
  retention: {keep: {daily: 14, weekly: 8, monthly: 12}}
  copies:
    - {target: vault}
objectives: {rpo: 26h}
"""

REST = """\
# Everything that no other policy takes, unless its owner says otherwise by the tag backup=none.
# Its terms are the estate's defaults.
version: 1
kind: policy
name: rest
select:
  rest: true
  exclude:
    - tags: {backup: none}
"""

FILES = {
    "policies/estate.yaml": ESTATE,
    "policies/standard.yaml": STANDARD,
    "policies/rest.yaml": REST,
}
