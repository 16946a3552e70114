#!/usr/bin/env bash
# Shows engine at work against the AWS stand-in on loopback; stops what it starts. `make demo`.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"
repository=$PWD
scratch=$(mktemp -d)
trap 'cd "$scratch" && engine lab down 2>/dev/null; rm -rf "$scratch"' EXIT
cd "$scratch"
cp -r "$repository/tests/end_to_end/thin" policies

say() { printf "\n\033[1m── %s\033[0m\n" "$*" >&2; }
run() { printf "\033[2m$ %s\033[0m\n" "$*" >&2; "$@"; }
at() { engine lab clock; }

say "A stand-in for AWS: two accounts, one encrypted Multi-AZ database"
run engine lab up -seed small -speed 5 -at 2026-11-18T02:05:00Z >exports
source ./exports

say "The policies are checked"
cat policies/*.yaml
run engine validate policies

say "First night: what would be done, and why"
run engine plan policies -at "$(at)" -out night1.plan
run engine apply night1.plan -policies policies -at "$(at)" -auto-approve -wait -poll-interval 1s

say "A second plan is empty"
run engine plan policies -at "$(at)"

say "Two nights later the oldest point has expired; AWS moved the database to its standby"
run engine lab clock -to 2026-11-19T02:05:00Z
run engine apply -policies policies -at "$(at)" -auto-approve -wait -poll-interval 1s >/dev/null
run engine lab failover 111111111111/eu-west-1/orders-1
run engine lab clock -to 2026-11-20T02:05:00Z
run engine plan policies -at "$(at)" -out night3.plan
run engine apply night3.plan -policies policies -at "$(at)" -auto-approve -wait -poll-interval 1s

say "Done. The lab is stopped; nothing is left behind."
