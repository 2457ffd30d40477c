#!/bin/sh
# The page beside a node of the cluster that computes nothing: deploy/page.sh HEAD:PORT [FLAGS OF app.py]
# Where the head is lost the node ends; it joins again once there is one, and the page goes on.
set -eu
head=$1
shift
join() {
    while :; do
        ray start --address="$head" --num-cpus=0 --num-gpus=0 --disable-usage-stats --block || true
        sleep 5
    done
}
join &
until ray status --address="$head" >/dev/null 2>&1; do sleep 2; done
exec python "$(dirname "$0")/../app.py" --cluster "$head" "$@"
