#!/usr/bin/env bash
# Watches a running `cargo run` without Docker, with the rules and routes of prometheus/: Ctrl-C ends it.
#
#   tutorial/monitor.sh           Prometheus, Alertmanager, the bridge and the inbox, on free ports; `make monitor` calls it
#   tutorial/monitor.sh files     only shows the two configurations that it makes
#
# It needs `prometheus` and `alertmanager` on the PATH: on Debian `apt install prometheus prometheus-alertmanager`. There is no mail
# server, so the inbox shows the mails, too. EVENTS_OPS_ADDR and BOOKINGS_OPS_ADDR name a system that is elsewhere than `cargo run` puts it.
# What Prometheus has collected is gone with it.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

events=${EVENTS_OPS_ADDR:-127.0.0.1:9100}
bookings=${BOOKINGS_OPS_ADDR:-127.0.0.1:9101}

die() { printf 'monitor: %s\n' "$*" >&2; exit 1; }

# answers ADDRESS: something listens there.
answers() { (: <"/dev/tcp/${1%:*}/${1##*:}") 2>/dev/null; }

# get ADDRESS PATH: whether it answers with 200.
get() {
    local line=''
    {
        exec 3<>"/dev/tcp/${1%:*}/${1##*:}" && printf 'GET %s HTTP/1.0\r\nHost: %s\r\n\r\n' "$2" "$1" >&3 && read -r -t 5 line <&3
    } 2>/dev/null
    exec 3>&- 3<&-
    [[ $line == *' 200 '* ]]
}

# free NAME PORT: gives NAME an address with this port, or with the next one that nobody has.
prometheus='' alertmanager='' bridge='' bridge_ops='' inbox='' taken=' '
free() {
    local port=$2
    while [[ $taken == *" $port "* ]] || answers "127.0.0.1:$port"; do port=$((port + 1)); done
    taken+="$port "
    printf -v "$1" '127.0.0.1:%s' "$port"
}

# Debian's Prometheus is version 2: it asks for text only, and refuses the lines about other forms.
features=created-timestamp-zero-ingestion,exemplar-storage version=3
if [[ $(prometheus --version 2>&1) == 'prometheus, version 2.'* ]]; then features=exemplar-storage version=2; fi

# prometheus.yml, where each name of Compose's network is an address here. Who is not here (broker, exporters, Grafana) is no target,
# and the links to dashboards lead to the inbox, which says where they are.
prometheus_yml() {
    sed -e "s|\${RUNBOOKS_URL}|http://$inbox/runbooks|" -e "s|\${DASHBOARDS_URL}|http://$inbox/dashboards|" \
        -e "s|localhost:9090|$prometheus|" -e "s|/etc/prometheus/|$root/prometheus/|" prometheus/prometheus.yml \
        | awk -v version="$version" -v here="events=$events bookings=$bookings alertmanager=$alertmanager bridge=$bridge_ops" '
        BEGIN { split(here, pairs, " "); for (i in pairs) { split(pairs[i], pair, "="); address[pair[1]] = pair[2] } }
        version == 2 && /^ *(scrape_protocols|scrape_native_histograms|always_scrape_classic_histograms):/ { next }
        function column() { match($0, /[^ -]/); return RSTART }
        function finish() {
            if (inside) print before "static_configs: " (name in address ? "[{ targets: [\"" address[name] "\"] }]" : "[]")
            inside = 0
        }
        inside && (/^ *$/ || column() > inside) {
            if (match($0, /names: *\[[^]]*/)) { name = substr($0, RSTART, RLENGTH); sub(/.*\[/, "", name) }
            next
        }
        { finish() }
        /^[ -]*dns_sd_configs:/ { inside = column(); before = substr($0, 1, inside - 1); name = ""; next }
        { print }
        END { finish() }'
}

# alertmanager.yml, where each mail goes to the inbox.
alertmanager_yml() {
    sed -e "s|http://bridge:8060|http://$bridge|" -e "s|http://inbox:8026|http://$inbox|" prometheus/alertmanager/alertmanager.yml | awk -v inbox="$inbox" '
        /^    email_configs:/ { mail = 1; next }
        /^    [a-z]/ && mail { print; print "      - { url: \"http://" inbox "/mail\", send_resolved: true }"; mail = 0; next }
        mail { next }
        { print }'
}

pids=()
end() {
    trap '' INT TERM
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait
    rm -rf "$work"
}

# start NAME COMMAND...: in the background. What it says is shown only if it ends by itself.
start() {
    "${@:2}" >"$work/$1.log" 2>&1 &
    pids+=($!)
    names[$!]=$1
}

# ended: says who has ended by itself.
ended() {
    local pid
    for pid in "${pids[@]}"; do
        kill -0 "$pid" 2>/dev/null || { tail -n 15 "$work/${names[$pid]}.log" >&2; die "${names[$pid]} has ended; above are its last words"; }
    done
}

# ready NAME ADDRESS PATH: waits for it.
ready() {
    for _ in {1..150}; do
        ended
        if get "$2" "$3"; then return; fi
        sleep 0.2
    done
    tail -n 15 "$work/$1.log" >&2
    die "$1 is not ready after 30 s: http://$2$3"
}

free prometheus 9090
free alertmanager 9093
free bridge 8060
free bridge_ops 9102
free inbox 8026

case ${1:-} in
    '') ;;
    files)
        prometheus_yml
        echo '---'
        alertmanager_yml
        exit
        ;;
    *)
        sed -n '2,5s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
        exit 2
        ;;
esac

command -v prometheus >/dev/null || die "prometheus is not on the PATH (Debian: apt install prometheus)"
alertmanager_program=$(command -v alertmanager || command -v prometheus-alertmanager) \
    || die "alertmanager is not on the PATH (Debian: apt install prometheus-alertmanager)"
for address in "$events" "$bookings"; do
    get "$address" /livez || die "no service answers at http://$address/livez: start the system first, in another terminal: cargo run"
done
if [[ ! ${MYEVENTS:-} ]]; then
    cargo build --quiet --locked
    MYEVENTS=${CARGO_TARGET_DIR:-target}/debug/myevents
fi

work=$(mktemp -d)
declare -A names
trap end EXIT
trap 'exit 0' INT TERM
prometheus_yml >"$work/prometheus.yml"
alertmanager_yml >"$work/alertmanager.yml"
for folder in prometheus/*/; do ln -s "$root/${folder%/}" "$work/"; done
ln -s "$root/prometheus/alertmanager/templates" "$work/templates"

start inbox env INBOX_ADDR="$inbox" "$MYEVENTS" inbox
start bridge env BRIDGE_ADDR="$bridge" BRIDGE_OPS_ADDR="$bridge_ops" \
    DINGTALK_WEBHOOK_URL="${DINGTALK_WEBHOOK_URL:-http://$inbox/robot/send?access_token=dev}" "$MYEVENTS" bridge
start alertmanager "$alertmanager_program" --config.file="$work/alertmanager.yml" --storage.path="$work/alertmanager-data" \
    --web.listen-address="$alertmanager" --web.external-url="http://$alertmanager/" --cluster.listen-address= --log.level=warn
start prometheus prometheus --config.file="$work/prometheus.yml" --storage.tsdb.path="$work/prometheus-data" \
    --web.listen-address="$prometheus" --web.external-url="http://$prometheus/" --web.enable-lifecycle --log.level=warn \
    --enable-feature="$features"
ready inbox "$inbox" /healthz
ready bridge "$bridge_ops" /readyz
ready alertmanager "$alertmanager" /-/ready
ready prometheus "$prometheus" /-/ready

cat <<TEXT
Prometheus     http://$prometheus/alerts
Alertmanager   http://$alertmanager
Inbox          http://$inbox   mails, DingTalk's messages, the dead-man's switch, the runbooks
They watch http://$events and http://$bookings. Ctrl-C ends them.
TEXT
while sleep 1; do ended; done
