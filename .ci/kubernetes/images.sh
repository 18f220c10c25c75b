# Images for the node, under exactly the names that the manifests give, so that manifests need no change. Sourced by cluster.sh.
# shellcheck shell=bash disable=SC2154

compose=$here/../../docker-compose.yml
tools=$(realpath -m "$here/../../target/tools/bin")

ctr() { inside ctr -n k8s.io "$@"; }

# import NAME <TAR: every image of the tar, which is one of `docker save`.
import() { ctr images import - >"$state/import.log" 2>&1 || failed "cannot import $1" import; }

# pack NAME FOLDER CONFIG: the folder as an image. CONFIG is JSON, as in an image: Entrypoint, Cmd, User, WorkingDir, Volumes.
pack() {
    python3 "$here/mkimage.py" "$1" "$2" "$2.tar" "$3"
    import "$1" <"$2.tar"
    rm -rf "$2" "$2.tar"
}

# is_loaded NAME WHAT, loaded NAME WHAT: whether the node has this already under this name; and: now it has.
is_loaded() { [[ $(cat "$state/loaded/${1//\//,}" 2>/dev/null) == "$2" ]]; }
loaded() {
    mkdir -p "$state/loaded"
    echo "$2" >"$state/loaded/${1//\//,}"
}

# program_image NAME: a program alone, as docker.io/local/NAME:1.
program_image() {
    local root=$state/image/$1
    [[ -x $bin/$1 ]] || die "$bin/$1 is missing: cluster.sh build"
    mkdir -p "$root"
    cp "$bin/$1" "$root/"
    pack "docker.io/local/$1:1" "$root" "{\"Entrypoint\": [\"/$1\"]}"
}

# busybox_root FOLDER: Debian's busybox with its libraries (wget of the static one crashes), a user nobody, and /tmp.
busybox_root() {
    local file applet
    mkdir -p "$1/bin" "$1/tmp" "$1/etc"
    for file in /bin/busybox $(ldd /bin/busybox | grep -o '/[^ ]*'); do install -D -m 755 "$(realpath "$file")" "$1$file"; done
    for applet in $(/bin/busybox --list); do [[ $applet == busybox ]] || ln -sf busybox "$1/bin/$applet"; done
    chmod 1777 "$1/tmp"
    echo 'hosts: files dns' >"$1/etc/nsswitch.conf"
    printf '%s\n' root:x:0:0:root:/root:/bin/sh nobody:x:65534:65534:nobody:/:/bin/false >"$1/etc/passwd"
    printf '%s\n' root:x:0: nogroup:x:65534: >"$1/etc/group"
}

busybox_image() {
    busybox_root "$state/image/busybox"
    pack docker.io/local/busybox:1 "$state/image/busybox" '{"Cmd": ["sh"]}'
}

# monitoring_image PROGRAM TOOL STORE: Prometheus or Alertmanager of target/tools, with the paths, the user and the
# arguments of the public image.
monitoring_image() {
    local root=$state/image/$1 name version
    [[ -x $tools/$1 && -x $tools/$2 ]] || die "$tools/$1 or $2 is missing: .ci/monitoring-tools"
    version=$("$tools/$1" --version 2>&1 | sed -n '1s/.* version \([0-9.]*\).*/\1/p')
    name=docker.io/prom/$1:v$version
    if is_loaded "$name" "$(stat -c '%Y %s' "$tools/$1" "$tools/$2")"; then return; fi
    busybox_root "$root"
    cp "$tools/$1" "$tools/$2" "$root/bin/"
    install -d "$root/etc/$1"
    install -d -o 65534 -g 65534 "$root/$1"
    pack "$name" "$root" "{
        \"User\": \"nobody\", \"WorkingDir\": \"/$1\", \"Volumes\": {\"/$1\": {}},
        \"Entrypoint\": [\"/bin/$1\"], \"Cmd\": [\"--config.file=/etc/$1/$1.yml\", \"$3=/$1\"]}"
    loaded "$name" "$(stat -c '%Y %s' "$tools/$1" "$tools/$2")"
    say "loaded $tools/$1 as $name"
}

# mailpit of target/tools, alone, as in the public image.
mailpit_image() {
    local root=$state/image/mailpit name
    name=docker.io/axllent/mailpit:$("$tools/mailpit" version --no-release-check | sed -n '1s/.*\(v[0-9.]*[0-9]\).*/\1/p')
    if is_loaded "$name" "$(stat -c '%Y %s' "$tools/mailpit")"; then return; fi
    mkdir -p "$root"
    cp "$tools/mailpit" "$root/"
    pack "$name" "$root" '{"Entrypoint": ["/mailpit"]}'
    loaded "$name" "$(stat -c '%Y %s' "$tools/mailpit")"
    say "loaded $tools/mailpit as $name"
}

# The name of an image as the node knows it: with its registry and a tag.
full_name() {
    local name=$1
    [[ ${name##*/} == *:* ]] || name+=:latest
    case $name in
    *.*/* | localhost*/*) echo "$name" ;;
    */*) echo "docker.io/$name" ;;
    *) echo "docker.io/library/$name" ;;
    esac
}

# load_image TAR | load_image IMAGE [NAME]: an image of the local Docker engine, called NAME in the node.
load_image() {
    local id name
    if [[ -f $1 ]]; then
        # shellcheck disable=SC2094 # the name is only for a message
        import "$1" <"$1"
        return
    fi
    name=$(full_name "${2:-$1}")
    id=$(docker image inspect -f '{{.Id}}' "$1" 2>/dev/null) || die "the local Docker engine has no image $1"
    if is_loaded "$name" "$id"; then return; fi
    docker save "$1" | import "$1"
    if [[ $(full_name "$1") != "$name" ]]; then
        ctr images tag --force "$(full_name "$1")" "$name" >/dev/null
        ctr images rm "$(full_name "$1")" >/dev/null
    fi
    loaded "$name" "$id"
    say "loaded $1 as $name"
}

# of_compose VARIABLE: the image that docker-compose.yml has for it.
of_compose() {
    local image
    image=$(sed -n "s/^ *image: \${$1:-\([^}]*\)}.*/\1/p" "$compose" | sed -n 1p)
    [[ $image ]] || die "docker-compose.yml names no image $1"
    echo "$image"
}

# Ours, which .ci/compose-test builds; stand-ins of .ci/offline-images.sh; and what .ci/monitoring-tools builds.
images() {
    local name there
    for name in eventservice bookingservice myevents; do load_image "myevents/$name:test" "myevents/$name:local"; done
    load_image offline/mongo "$(of_compose MONGO_IMAGE)"
    load_image offline/rabbitmq "$(of_compose RABBITMQ_IMAGE)"
    monitoring_image prometheus promtool --storage.tsdb.path
    monitoring_image alertmanager amtool --storage.path
    mailpit_image
    there=$(ctr images ls -q) # not into a pipe: `grep -q` ends before it has read all, and that would be a failure
    for name in PROMETHEUS_IMAGE ALERTMANAGER_IMAGE MAILPIT_IMAGE; do
        grep -qx "$(full_name "$(of_compose "$name")")" <<<"$there" \
            || die "docker-compose.yml names $(of_compose "$name"), and target/tools has another version"
    done
}
