#!/usr/bin/env bash
# Shows engine at work against the AWS stand-in on loopback; stops what it starts. `make demo`.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"
repository=$PWD
scratch=$(mktemp -d)
trap 'cd "$scratch" && engine lab down 2>/dev/null; rm -rf "$scratch"' EXIT
cd "$scratch"
cp -r "$repository/policies" policies

exec 3>&1
bold="" dim="" plain=""
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
  bold=$'\033[1m' dim=$'\033[2m' plain=$'\033[0m'
fi
say() {
  printf "\n%s── %s%s\n" "$bold" "$1" "$plain"
  shift
  [ $# -eq 0 ] || wrap 75 <<<"$*" | sed 's/^/   /'
  echo
}
# Break long lines at spaces, as terminals do not.
wrap() { fold -s -w "$1" | sed 's/ *$//'; }
run() {
  # A command that needs several lines can be copied all the same.
  printf "%s\$ %s%s\n" "$dim" "$(fold -s -w 76 <<<"$*" | sed '$!s/$/\\/; 2,$s/^/    /')" "$plain" >&3
  "$@"
}
now() { engine lab clock; }
# What comes after the steps is told once, by the first plan.
steps() { sed '/^Unprotected/,$d' | sed '${/^$/d;}'; }

# Every step is reported as it happens; the last ones are enough to see how.
apply() {
  local words=(engine apply "$1" -at "$(now)" -auto-approve -wait -poll-interval 1s)
  run "${words[@]}" >applied 2>progress || { cat progress applied >&2; return 1; }
  grep " done " progress | tail -n 4 | wrap 79
  tail -n 1 applied
}

say "A stand-in for AWS" \
  "Three accounts, two regions, 14 databases, and the backups of the last two weeks." \
  "It is five past two at night in Berlin: backups are due. Nothing here talks to AWS."
run engine lab up -seed acme -speed 10 >exports 2>/dev/null
source ./exports

say "What is wanted stands in policies, kept in git" \
  "This one takes the databases tagged tier=gold; its copies go to two regions of a vault account."
run cat policies/gold.yaml
echo
run engine validate

say "The plan: what tonight's run would do, and why" \
  "Incremental is what AWS stores as a change only; 'likely' where its own texts disagree." \
  "crm is under the default key, which no other account may use: it is copied under another key" \
  "first, to a bridge, which goes as soon as nobody needs it."
run engine plan -at "$(now)" -out tonight.plan

say "Apply does what the plan says, or refuses the step"
apply tonight.plan

say "A second plan is empty"
run engine plan -at "$(now)" | steps

say "A day later, after orders-1 failed over to its standby in another zone" \
  "Its snapshots come from another disk now, so its next copies are stored in full:" \
  "the plan says so beforehand, and how much that is. For the others nothing changes."
run engine lab failover 111111111111/eu-west-1/orders-1
run engine lab clock -forward 1d
run engine plan -at "$(now)" -out tomorrow.plan | steps
apply tomorrow.plan

say "Done" "The stand-in is stopped, nothing is left behind. To go on: README.md and docs/."
