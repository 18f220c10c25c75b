#!/usr/bin/env bash
# The chapter's way: the whole system by hand, one docker command after the other, as you would type them.
#
#   tutorial/by-hand.sh up       shows each command and runs it
#   tutorial/by-hand.sh down     takes everything away again, stored data included
#
# docker-compose.yml says the same in one file, with a load that books seats, and with what notifies people of alerts: Alertmanager,
# mailpit, bridge and inbox. Those are left out here: Prometheus shows its alerts at /alerts, and notifies nobody. Both at once need each
# other's ports: stop the one before you start the other. Containers, networks and volumes are called as in the chapter; Compose puts
# its project's name before its own, so they differ. All that is made here has a label, by which `down` knows it: it takes nothing
# else away.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Set one of these to use another image; an empty GRAFANA_IMAGE leaves Grafana out.
MONGO_IMAGE=${MONGO_IMAGE-mongo:8.0.32-noble}
RABBITMQ_IMAGE=${RABBITMQ_IMAGE-rabbitmq:4.3.5-management}
PROMETHEUS_IMAGE=${PROMETHEUS_IMAGE-prom/prometheus:v3.16.0}
GRAFANA_IMAGE=${GRAFANA_IMAGE-grafana/grafana:13.2.0}
EVENTS_IMAGE=${EVENTS_IMAGE-}
BOOKINGS_IMAGE=${BOOKINGS_IMAGE-}

BROKER=amqp://myevents:by-hand@rabbitmq:5672
LABEL=myevents=by-hand

step() { printf '\n# %s\n' "$*"; }

# Shows a command as it can be typed, then runs it.
run() {
    printf '$'
    printf ' %q' "$@"
    printf '\n'
    "$@"
}

# The names that are used here and that something has already.
taken() {
    {
        docker ps --all --format '{{.Names}}' | grep -xE 'mongo|rabbitmq|events|bookings|prometheus|grafana'
        docker network ls --format '{{.Name}}' | grep -xE 'myevents|monitoring'
        docker volume ls --format '{{.Name}}' | grep -xE '(mongo|prometheus|grafana)-data'
    } || true
}

# The ports that are used here and that something listens on.
busy() {
    local port
    for port in ${GRAFANA_IMAGE:+3000} 8181 8282 9090 9100 9101; do
        if (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then echo "$port"; fi
    done
}

up() {
    local names ports
    names=$(taken)
    if [ -n "$names" ]; then
        echo "These names are taken already: ${names//$'\n'/, }" >&2
        echo "Are they from an earlier run? Then: tutorial/by-hand.sh down" >&2
        exit 1
    fi
    ports=$(busy)
    if [ -n "$ports" ]; then
        echo "Something listens on ports that are needed here: ${ports//$'\n'/, }" >&2
        echo "Is it the system of docker compose? Then: docker compose down" >&2
        exit 1
    fi

    step "Build the two services (a few minutes the first time), unless you have named their images."
    if [ -z "$EVENTS_IMAGE" ]; then
        EVENTS_IMAGE=myevents/eventservice:by-hand
        run docker build --target eventservice --tag "$EVENTS_IMAGE" .
    fi
    if [ -z "$BOOKINGS_IMAGE" ]; then
        BOOKINGS_IMAGE=myevents/bookingservice:by-hand
        run docker build --target bookingservice --tag "$BOOKINGS_IMAGE" .
    fi

    step "Two networks: one for the services and what they need, one for watching them."
    run docker network create --label "$LABEL" myevents
    run docker network create --label "$LABEL" monitoring

    step "Volumes, for what shall survive its container."
    run docker volume create --label "$LABEL" mongo-data
    run docker volume create --label "$LABEL" prometheus-data
    run docker volume create --label "$LABEL" grafana-data

    step "A database and a broker. Nothing of them is published: only the services speak with them."
    run docker run -d --label "$LABEL" --name mongo --network myevents -v mongo-data:/data/db \
        -e GLIBC_TUNABLES=glibc.pthread.rseq=1 "$MONGO_IMAGE"
    run docker run -d --label "$LABEL" --name rabbitmq --hostname rabbitmq --network myevents --ulimit nofile=16384 \
        -e RABBITMQ_DEFAULT_USER=myevents -e RABBITMQ_DEFAULT_PASS=by-hand "$RABBITMQ_IMAGE"

    step "The event service: REST on 8181, metrics on 9100. It waits for the other two by itself."
    run docker run -d --label "$LABEL" --name events --network myevents -p 127.0.0.1:8181:8181 -p 127.0.0.1:9100:9100 \
        -e AMQP_BROKER_URL="$BROKER" -e MONGO_URL=mongodb://mongo:27017 --read-only "$EVENTS_IMAGE"

    step "The booking service. Inside, its ports are the same; outside they are taken, so it gets 8282 and 9101."
    run docker run -d --label "$LABEL" --name bookings --network myevents -p 127.0.0.1:8282:8181 -p 127.0.0.1:9101:9100 \
        -e AMQP_BROKER_URL="$BROKER" -e MONGO_URL=mongodb://mongo:27017 --read-only "$BOOKINGS_IMAGE"

    step "Prometheus runs as a user of its own, who must be able to read its configuration."
    run chmod -R a+rX prometheus grafana

    step "It belongs to both networks. Docker takes one at the start, so: create, connect the second, start." \
        "The variables are where the links of its alerts lead to; \`cargo run -- inbox\` shows the runbooks there."
    run docker create --label "$LABEL" --name prometheus --network monitoring -p 127.0.0.1:9090:9090 \
        -e RUNBOOKS_URL=http://127.0.0.1:8026/runbooks -e DASHBOARDS_URL=http://127.0.0.1:3000 \
        -v "$PWD/prometheus:/etc/prometheus:ro,z" -v prometheus-data:/prometheus "$PROMETHEUS_IMAGE" \
        --config.file=/etc/prometheus/prometheus.yml --storage.tsdb.path=/prometheus --web.enable-lifecycle \
        --enable-feature=created-timestamp-zero-ingestion,exemplar-storage
    run docker network connect myevents prometheus
    run docker start prometheus

    if [ -n "$GRAFANA_IMAGE" ]; then
        step "Grafana sees Prometheus only. A volume needs its name AND its path, else it is a new one each time."
        run docker run -d --label "$LABEL" --name grafana --network monitoring -p 127.0.0.1:3000:3000 \
            -e GF_AUTH_ANONYMOUS_ENABLED=true -e GF_SECURITY_ADMIN_PASSWORD=by-hand -e GF_PLUGINS_PREINSTALL_DISABLED=true \
            -e GF_SERVER_ENABLE_GZIP=false -e NO_PROXY='*' -e TRACES_URL=http://127.0.0.1:9101/traces \
            -e GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH=/etc/myevents/dashboards/overview.json \
            -v "$PWD/grafana/provisioning:/etc/grafana/provisioning:ro,z" -v "$PWD/grafana/dashboards:/etc/myevents/dashboards:ro,z" \
            -v "$PWD/grafana/exporters:/etc/myevents/exporters:ro,z" \
            -v "$PWD/grafana/yours:/etc/myevents/yours:ro,z" -v grafana-data:/var/lib/grafana "$GRAFANA_IMAGE"
    fi

    step "Wait until both services have their database, and then the broker, which takes longest."
    for ops in http://127.0.0.1:9100 http://127.0.0.1:9101; do
        for _ in {1..120}; do
            if curl -fs "$ops/readyz" | grep -q '"broker":{"ok":true'; then continue 2; fi
            sleep 0.5
        done
        echo "not ready after a minute: $ops/readyz says why, and so does \`docker logs\` of events, bookings, mongo and rabbitmq" >&2
        exit 1
    done

    cat <<'TEXT'

It runs. Create an event, book two seats, and see it arrive:

  curl -i http://127.0.0.1:8181/events -H 'Content-Type: application/json' \
    -d '{"name": "First night", "start_date": "2030-01-01T19:00:00Z", "end_date": "2030-01-01T22:00:00Z", "capacity": 10}'
  curl -i http://127.0.0.1:8282/events/THE-ID-IT-GAVE/bookings -H 'Content-Type: application/json' -d '{"seats": 2}'
  curl -s http://127.0.0.1:9101/metrics | grep '^myevents_bookings_count'

Prometheus: http://127.0.0.1:9090/targets     Grafana: http://127.0.0.1:3000     Every metric: docs/metrics.md
Away with it again: tutorial/by-hand.sh down
TEXT
}

down() {
    local mine=(--filter "label=$LABEL")
    step "Containers, with the volumes that have no name; then volumes and networks: those with the label."
    docker ps --all "${mine[@]}" --format '{{.Names}}' | away docker rm -f -v
    docker volume ls "${mine[@]}" --format '{{.Name}}' | away docker volume rm
    docker network ls "${mine[@]}" --format '{{.Name}}' | away docker network rm
}

# Runs the command with the names that it is given, if there is one.
away() {
    local names
    mapfile -t names
    if [ "${#names[@]}" -gt 0 ]; then run "$@" "${names[@]}"; fi
}

case ${1:-} in
    up) up ;;
    down) down ;;
    *)
        sed -n '2,5s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
        exit 2
        ;;
esac
