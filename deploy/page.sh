#!/bin/sh
# The page beside a node of the cluster that computes nothing: deploy/page.sh HEAD:PORT [FLAGS OF app.py]
# Where the head is lost the node ends; it joins again once there is one, and the page goes on. Both end together.
set -eu
head=$1
shift
export RAY_gcs_rpc_server_reconnect_timeout_s=10 # with no head for so long the node ends; it is 60 otherwise
# shellcheck disable=SC2016 # the inner shell fills in $1
setsid sh -c 'while :; do
    ray start --address="$1" --num-cpus=0 --num-gpus=0 --disable-usage-stats --block || true
    sleep 5
done' join "$head" &
node=$! # of a group of its own, which one signal ends
trap 'kill -TERM -"$node"' EXIT
trap 'exit 143' TERM INT
until ray status --address="$head" >/dev/null 2>&1; do sleep 2; done
python "$(dirname "$0")/../app.py" --cluster "$head" "$@" &
page=$!
trap 'kill -TERM "$page"' TERM INT
status=0
wait "$page" || status=$?
if kill -0 "$page" 2>/dev/null; then # a signal ended the wait, not the page
    status=0
    wait "$page" || status=$?
fi
exit "$status"
