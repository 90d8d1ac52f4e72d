#!/usr/bin/env bash
# One week's report: readers get the brief, maintainers get the failure.
#
#   SEND_READERS="mail -s Week readers@example.com" SEND_MAINTAINERS="mail -s Failed data@example.com" weekly.sh SHOP
#
# Both commands read what they send from standard input. A brief is sent once: a week that is published anew and says
# the same reaches nobody again.
set -uo pipefail
shop=${1:?Name the shop: weekly.sh SHOP}
: "${SEND_READERS:?Say how to send to readers: a command that reads from standard input}"
: "${SEND_MAINTAINERS:?Say how to send to maintainers: a command that reads from standard input}"
kit=$(cd "$(dirname "$0")/../.." && pwd)
log=$(mktemp)
trap 'rm -f "$log"' EXIT

make --silent --directory "$kit" .venv/.installed >"$log" 2>&1 && "$kit/.venv/bin/ecomkit" report "$shop" >>"$log" 2>&1
status=$?

# The last line of a run that published, or found nothing new, is the path of the index.
index=$(tail -n 1 "$log")
brief=$(dirname "$index")/brief.md
sent=$kit/.ecomkit/sent-$(basename "$shop").md
if [[ $index == */index.html ]] && ! cmp -s "$brief" "$sent"; then
  if $SEND_READERS <"$brief"; then
    cp "$brief" "$sent"
  else
    echo "The brief could not be sent to readers; the next run tries again." >>"$log"
    status=1
  fi
fi
if [[ $status -ne 0 && $status -ne 3 ]]; then
  $SEND_MAINTAINERS <"$log"
fi
exit "$status"
