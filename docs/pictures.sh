#!/usr/bin/env bash
# Draws the pages of docs/images anew with a Chromium that is there. `make pictures`.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"
images=docs/images

browser=
for name in chromium-headless-shell chromium chromium-browser google-chrome; do
  if command -v "$name" >/dev/null; then browser=$name && break; fi
done
if [ -z "$browser" ]; then
  echo "no Chromium is installed: the pictures stay as they are" >&2
  exit 1
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
flags=(--headless --disable-gpu --hide-scrollbars "--user-data-dir=$scratch/browser")
# Chromium's sandbox does not start for root; these pages are our own.
[ "$(id -u)" -ne 0 ] || flags+=(--no-sandbox)

# draw PAGE PICTURE WIDTH HEIGHT dark|light
draw() {
  local scheme=1
  [ "$5" != dark ] || scheme=0
  "$browser" "${flags[@]}" "--blink-settings=preferredColorScheme=$scheme" \
    "--window-size=$3,$4" "--screenshot=$PWD/$images/$2" "file://$1" 2>"$scratch/browser.log" ||
    { cat "$scratch/browser.log" >&2 && exit 1; }
  echo "$images/$2"
}

mkdir -p "$images"
recording=tests/recordings/acme
engine plan -inventory $recording -html "$scratch/plan.html" >/dev/null
draw "$scratch/plan.html" plan.png 1280 1000 light
draw "$scratch/plan.html" plan-phone.png 400 860 dark

example=docs/examples/consequences
engine plan $example/after -against $example/before -inventory $example/inventory \
  -html "$scratch/change.html" >/dev/null
draw "$scratch/change.html" consequences.png 1280 960 light
draw "$scratch/change.html" consequences-phone.png 400 1100 light

engine simulate docs/examples/simulation -days 7 -at 2026-11-16T02:05:00Z \
  -html "$scratch/week.html" >/dev/null
draw "$scratch/week.html" simulation.png 1280 1300 light
