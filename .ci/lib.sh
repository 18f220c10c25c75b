# What the scripts in this folder share: messages, packages of Debian, and Go. Sourced, not run.
# shellcheck shell=bash disable=SC2016,SC2154

suite=trixie # the Debian release from which newer programs than the machine's are taken

script=$(basename "$0")
say() { printf '%s\n' "${script%.sh}: $*"; }
die() { say "$*" >&2; exit 1; }
has() { command -v "$1" >/dev/null; }

# logged NAME COMMAND...: runs the command and shows its output only if it fails. $logs is the folder for its log.
logged() {
    local log=$logs/$1.log
    shift
    "$@" >"$log" 2>&1 || { tail -25 "$log" >&2; die "failed: $1 (all of its output: $log)"; }
}

# --- packages ------------------------------------------------------------------------------------------------------

# The Debian archive that this machine's own package sources name.
archive() { apt-get indextargets --format '$(REPO_URI)' 'Label: Debian' | sed -n 1p; }

need_archive() {
    [[ $(archive) ]] || logged apt-update apt-get update
    [[ $(archive) ]] || die "the package sources of this machine name no Debian archive"
}

# download_from_suite FOLDER PACKAGES...: fetches these packages from $suite into the folder, even where the machine runs the release
# before, and installs nothing.
download_from_suite() {
    local folder=$1 temporary options
    shift
    need_archive
    temporary=$(mktemp -d)
    mkdir -p "$temporary/lists/partial" "$folder"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(archive) $suite main" >"$temporary/sources.list"
    options=(-o Dir::Etc::SourceList="$temporary/sources.list" -o Dir::Etc::SourceParts=- -o Dir::State::Lists="$temporary/lists"
        -o Dir::Cache::PkgCache= -o Dir::Cache::SrcPkgCache= -o APT::Sandbox::User=root -o Acquire::Languages=none
        -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false)
    logged apt-update apt-get "${options[@]}" update
    (cd "$folder" && logged apt-download apt-get "${options[@]}" download "$@")
    rm -rf "$temporary"
}

# install_from_suite PACKAGES OTHERS: the first come from $suite; all they depend on, and the others, come from the machine's own
# release.
install_from_suite() {
    local newer others folder
    read -ra newer <<<"$1"
    read -ra others <<<"${2:-}"
    ((EUID == 0)) || die "must be run as root, to install packages: ${newer[*]} ${others[*]}"
    has apt-get || die "without apt, please install: ${newer[*]} ${others[*]}"
    export DEBIAN_FRONTEND=noninteractive
    need_archive
    logged apt-update apt-get update
    folder=$(mktemp -d)
    download_from_suite "$folder" "${newer[@]}"
    logged apt-install apt-get install -y --no-install-recommends "${others[@]}" "$folder"/*.deb
    rm -rf "$folder"
}

# --- Go ------------------------------------------------------------------------------------------------------------

# Sees to a `go` that can build everything here: from 1.21 on it fetches by itself the toolchain that a go.mod asks for, as a
# module with a checksum. Where there is none, $suite's is installed beside what the machine has; its `go` stays as it is.
need_go() {
    local debian=/usr/lib/go-1.24/bin
    export GOTOOLCHAIN=auto GOWORK=off CGO_ENABLED=0 GOFLAGS="${GOFLAGS:-} -buildvcs=false -trimpath"
    if has go && (cd / && GOTOOLCHAIN=local go version | grep -qE 'go1\.(2[1-9]|[3-9][0-9])'); then return; fi
    if [[ ! -x $debian/go ]]; then
        say "installing Go"
        install_from_suite "golang-1.24-go golang-1.24-src" ca-certificates
    fi
    PATH=$debian:$PATH GOTOOLCHAIN=go1.26.7+auto # one that is new enough for all, instead of one for each go.mod
}

# module NAME VERSION CHECKSUM: its folder in the module cache, after it was fetched and its checksum compared.
module() {
    local json
    json=$(cd / && go mod download -json "$1@$2") || die "cannot fetch the Go module $1@$2: $json"
    [[ $(sed -n 's/^\t"Sum": "\(.*\)",\{0,1\}$/\1/p' <<<"$json") == "$3" ]] || die "$1@$2 has another checksum than $3: $json"
    sed -n 's/^\t"Dir": "\(.*\)",\{0,1\}$/\1/p' <<<"$json"
}
