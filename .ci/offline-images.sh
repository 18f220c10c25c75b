#!/usr/bin/env bash
#
# Lets a Debian machine without access to an image registry run `docker compose up`: installs the engine, compose and
# buildx as Debian packages, starts the engine if none answers, and builds the images "offline/...", which stand in for
# the public ones (compose.offline.yml beside this file puts them in place). .ci/compose-test calls it; by hand:
#
#   .ci/offline-images.sh             everything
#   .ci/offline-images.sh packages    only the packages: with them `docker compose config` works, which some tests use
#
# It ends with 3 where no engine can be started, as in a container without the rights for it.
#
# Run it as root, as often as you like: what is there is kept, and an image is built again when its recipe has changed.
# It needs a Debian and a Maven archive and a Rust toolchain, and Go modules. offline/mongo is an in-memory server that speaks
# MongoDB's protocol, not MongoDB; the others are the real programs: Prometheus, Alertmanager and mailpit in today's versions, from
# .ci/monitoring-tools, and all else in those that Debian has.
# shellcheck disable=SC2016
set -euo pipefail
# shellcheck source=help.sh
source "$(dirname "${BASH_SOURCE[0]}")/help.sh"

# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

state=${XDG_STATE_HOME:-$HOME/.local/state}/offline-images
logs=$state
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mongo=$(cd "$here/../testing/mongo-standin" && pwd)
tools=$here/../target/tools/bin
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The engine, compose and buildx come from $suite even where the machine runs the release before: they install there as
# they are, and older engines know neither today's Dockerfile syntax nor a health check's start_interval.
install_packages() {
    local missing=() engine=0
    has iptables || missing+=(iptables)
    has mmdebstrap || missing+=(mmdebstrap)
    has javac || missing+=(default-jdk-headless)
    has mvn || missing+=(maven)
    if has dockerd; then engine=$(dockerd --version | sed -E 's/^[^0-9]*([0-9]+).*/\1/'); fi
    if ((engine >= 25 && ${#missing[@]} == 0)) && docker buildx version >/dev/null 2>&1 \
        && docker compose version --short 2>/dev/null | grep -Eq '^v?([3-9]|2\.2[4-9]|2\.[3-9][0-9])'; then
        return
    fi
    say "installing the engine, compose and buildx ${missing[*]}"
    install_from_suite "docker.io docker-cli docker-compose docker-buildx" "${missing[*]}"
}

start_engine() {
    if docker info >/dev/null 2>&1; then return; fi
    local device mtu
    device=$(awk '$2 == "00000000" { print $1; exit }' /proc/net/route)
    mtu=$(cat "/sys/class/net/$device/mtu" 2>/dev/null || echo 1500)    # packets no larger than the network outside takes
    setsid nohup dockerd --mtu "$mtu" >"$state/dockerd.log" 2>&1 </dev/null &
    for _ in {1..100}; do
        if docker info >/dev/null 2>&1; then
            say "started the engine; its log: $state/dockerd.log; to stop it: kill \$(cat /var/run/docker.pid)"
            return
        fi
        sleep 0.2
    done
    tail -25 "$state/dockerd.log" >&2
    say "the engine does not start (its log: $state/dockerd.log)" >&2
    exit 3
}

# A minimal Debian with this machine's certificate authorities and download options. It keeps its package lists, so that
# the images on top of it need no `apt-get update`.
build_debian() {
    mkdir -p "$work/ca"
    find /usr/local/share/ca-certificates -name '*.crt' -exec cp -t "$work/ca" {} +
    apt-config dump | grep -E '^Acquire::(Check|https?::Proxy)' >"$work/apt.conf" || true
    logged debian mmdebstrap --variant=minbase --include=ca-certificates --skip=cleanup/apt/lists \
        --dpkgopt=force-unsafe-io --dpkgopt='path-exclude=/usr/share/doc/*' --aptopt="$work/apt.conf" \
        --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' --aptopt='Acquire::GzipIndexes "true"' \
        --aptopt='Dir::Cache::PkgCache ""' --aptopt='Dir::Cache::SrcPkgCache ""' \
        --customize-hook="sync-in $work/ca /usr/local/share/ca-certificates" \
        --customize-hook='chroot "$1" update-ca-certificates' \
        --customize-hook='printf "#!/bin/sh\nexit 101\n" >"$1/usr/sbin/policy-rc.d"; chmod 755 "$1/usr/sbin/policy-rc.d"' \
        --customize-hook='echo "APT::Keep-Downloaded-Packages \"false\";" >"$1/etc/apt/apt.conf.d/90keep-nothing"' \
        "$suite" "$work/debian.tar" "$(archive)"
    logged debian docker import --change 'CMD ["bash"]' --change "LABEL recipe=$recipe" "$work/debian.tar" offline/debian
    rm "$work/debian.tar"
}

# The other images. Paths, users, commands and settings are those of the public ones.
build_image() {
    mkdir -p "$work/files/cargo"
    has rustc || die "this machine has no Rust toolchain"
    cp "${CARGO_HOME:-$HOME/.cargo}/config.toml" "$work/files/cargo" 2>/dev/null || true
    if [[ $1 == mongo ]]; then compile_mongo; fi
    logged "$1" docker buildx build --target "$1" --tag "offline/$1" --label "recipe=$recipe" \
        --build-context "toolchain=$(rustc --print sysroot)" --build-context "tools=$tools" --file - "$work/files" <<'DOCKERFILE'
FROM offline/debian AS rust
RUN apt-get install -y gcc libc6-dev
COPY --from=toolchain bin /usr/local/rustup/toolchains/host/bin
COPY --from=toolchain lib /usr/local/rustup/toolchains/host/lib
COPY --from=toolchain libexec /usr/local/rustup/toolchains/host/libexec
COPY cargo /usr/local/cargo
ENV CARGO_HOME=/usr/local/cargo PATH=/usr/local/cargo/bin:/usr/local/rustup/toolchains/host/bin:/usr/local/bin:/usr/bin:/bin

FROM offline/debian AS rabbitmq
# The number of the user as in the public image: who owns a volume, and a pod's runAsUser, are numbers.
RUN groupadd --system --gid 999 rabbitmq && useradd --system --uid 999 --gid rabbitmq --home-dir /var/lib/rabbitmq rabbitmq \
 && apt-get install -y rabbitmq-server \
 && rabbitmq-plugins enable --offline rabbitmq_management rabbitmq_prometheus && install -d /etc/rabbitmq/conf.d \
 && printf 'loopback_users.guest = false\nlog.console = true\n' >/etc/rabbitmq/conf.d/10-defaults.conf \
 && rm -f /var/lib/rabbitmq/.erlang.cookie
ENV HOME=/var/lib/rabbitmq RABBITMQ_LOGS=- LANG=C.UTF-8
USER rabbitmq
VOLUME /var/lib/rabbitmq
CMD ["/usr/lib/rabbitmq/bin/rabbitmq-server"]

FROM offline/debian AS mongo
RUN apt-get install -y openjdk-21-jre-headless \
 && printf '#!/bin/bash\n# Only for health checks: does the server answer?\n: </dev/tcp/127.0.0.1/27017 && echo 1\n' >/bin/mongosh \
 && chmod 755 /bin/mongosh
RUN groupadd --system --gid 999 mongodb && useradd --system --uid 999 --gid mongodb --home-dir /data/db mongodb \
 && install -d -o mongodb -g mongodb /data/db /data/configdb
COPY mongo /opt/mongo
COPY --chmod=755 <<'SCRIPT' /usr/local/bin/docker-entrypoint.sh
#!/bin/bash
# Takes the arguments of the public image. Without UsePerfData, Java writes no file.
[[ ${1:-} != -* ]] || set -- mongod "$@"
[[ ${1:-} == mongod ]] || exec "$@"
echo "a stand-in for MongoDB, in memory and without users${2:+; ignored: ${*:2}}" >&2
exec java -XX:+UseSerialGC -XX:-UsePerfData -Xmx256m -cp '/opt/mongo:/opt/mongo/*' MongoStandin --host 0.0.0.0
SCRIPT
ENV HOME=/data/db
USER mongodb
VOLUME /data/db /data/configdb
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["mongod"]

FROM offline/debian AS prom
RUN apt-get install -y busybox && ln -s busybox /bin/wget

FROM prom AS prometheus
COPY --from=tools prometheus promtool /bin/
RUN install -d -o nobody -g nogroup /prometheus
USER nobody
WORKDIR /prometheus
VOLUME /prometheus
ENTRYPOINT ["/bin/prometheus"]
CMD ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]

FROM prom AS alertmanager
COPY --from=tools alertmanager amtool /bin/
RUN install -d -o nobody -g nogroup /alertmanager
USER nobody
WORKDIR /alertmanager
VOLUME /alertmanager
ENTRYPOINT ["/bin/alertmanager"]
CMD ["--config.file=/etc/alertmanager/alertmanager.yml", "--storage.path=/alertmanager"]

FROM scratch AS mailpit
COPY --from=tools mailpit /
ENTRYPOINT ["/mailpit"]

FROM prom AS pushgateway
RUN apt-get install -y prometheus-pushgateway && ln -s prometheus-pushgateway /bin/pushgateway
USER nobody
ENTRYPOINT ["/bin/pushgateway"]

FROM prom AS node-exporter
RUN apt-get install -y prometheus-node-exporter && ln -s prometheus-node-exporter /bin/node_exporter
USER nobody
ENTRYPOINT ["/bin/node_exporter"]
DOCKERFILE
}

compile_mongo() {
    mkdir -p "$work/files/mongo"
    logged maven mvn -q -B -f "$mongo/pom.xml" dependency:copy-dependencies -DoutputDirectory="$work/files/mongo"
    logged javac javac --release 17 -cp "$work/files/mongo/*" -d "$work/files/mongo" "$mongo/MongoStandin.java"
}

# The image is there and was built by the functions above as they are now.
current() { [[ $(docker image inspect -f '{{.Config.Labels.recipe}}' "offline/$1" 2>/dev/null) == "$recipe" ]]; }

((EUID == 0)) || die "must be run as root"
mkdir -p "$state" "$tools"
install_packages
if [[ ${1:-} == packages ]]; then exit; fi
start_engine
need_archive
for image in debian rust rabbitmq mongo node-exporter pushgateway prometheus alertmanager mailpit; do
    if [[ $image == debian ]]; then build=build_debian; else build=build_image; fi
    made=()
    case $image in
    prometheus) made=(prometheus promtool) ;;
    alertmanager) made=(alertmanager amtool) ;;
    mailpit) made=(mailpit) ;;
    esac
    if ((${#made[@]})); then "$here/monitoring-tools" "${made[@]}"; fi
    # The tools note beside each program what it is.
    recipe=$({ declare -f build_debian "$build" compile_mongo; cat "$mongo"/* "${made[@]/#/$tools/.}"; } | sha256sum | cut -c1-16)
    if current "$image"; then continue; fi
    begin=$SECONDS
    "$build" "$image"
    say "built offline/$image in $((SECONDS - begin)) s"
done
say "ready"
