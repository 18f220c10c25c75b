# The node: a process tree in network, mount, pid, uts, ipc and cgroup namespaces of its own. It changes no rule, no mount and no
# sysctl of the machine, and whoever kills its first process ends all of it. Sourced by cluster.sh.
# shellcheck shell=bash disable=SC2154

node_ip=10.200.0.1 # exists in the node's network namespace only, so it cannot collide with an address of the machine

# Each hierarchy of cgroup version 1, and the group of this process in it.
hierarchies() {
    local _ names path
    while IFS=: read -r _ names path; do
        names=${names#name=}
        if [[ $names && -d /sys/fs/cgroup/$names ]]; then
            # In a container the path can be that of the machine, which is not visible.
            [[ -d /sys/fs/cgroup/$names$path ]] || path=''
            printf '%s %s\n' "$names" "/sys/fs/cgroup/$names${path%/}"
        fi
    done </proc/self/cgroup
}

# make_cgroups: a group below this process's in each hierarchy. They are written down, because `down` can be called from another
# group than `up`.
make_cgroups() {
    local names dir group
    group=k8s-$(printf '%s' "$state" | cksum | cut -d ' ' -f 1)
    while read -r names dir; do
        mkdir -p "$dir/$group"
        if [[ $names == *cpuset* ]]; then
            cat "$dir/cpuset.cpus" >"$dir/$group/cpuset.cpus"
            cat "$dir/cpuset.mems" >"$dir/$group/cpuset.mems"
        fi
        echo "$dir/$group"
    done < <(hierarchies) >"$state/cgroups"
}

enter_cgroups() {
    local dir
    while read -r dir; do echo "$BASHPID" >"$dir/cgroup.procs"; done <"$state/cgroups"
}

# Kills what is still in the groups, waits until it is gone, and removes them.
remove_cgroups() {
    local dir left
    [[ -e $state/cgroups ]] || return 0
    for _ in {1..100}; do
        left=''
        while read -r dir; do
            [[ -d $dir ]] || continue
            find "$dir" -name cgroup.procs -exec cat {} + 2>/dev/null | sort -u | xargs -r kill -KILL 2>/dev/null || true
            find "$dir" -depth -type d -exec rmdir {} + 2>/dev/null || left+=" $dir"
        done <"$state/cgroups"
        [[ $left ]] || return 0
        sleep 0.1
    done
    die "these control groups have processes that do not end:$left"
}

# init: the first process of the node. What it mounts is gone with it.
init() {
    local names file value
    umount -R -l /sys
    mount -t sysfs sysfs /sys
    mount -t tmpfs cgroup /sys/fs/cgroup
    while IFS=: read -r _ names _; do
        [[ $names ]] || continue
        mkdir "/sys/fs/cgroup/${names#name=}"
        case $names in
        name=*) mount -t cgroup -o "none,$names" cgroup "/sys/fs/cgroup/${names#name=}" ;;
        *) mount -t cgroup -o "$names" cgroup "/sys/fs/cgroup/$names" ;;
        esac
    done </proc/self/cgroup
    # Folders whose names are fixed in the kubelet, containerd or CNI. Sockets are in some of them, and their paths must be short.
    for names in run var/lib var/log; do mount -t tmpfs tmpfs "/$names"; done
    mkdir -p /run/lock /var/log/containers /var/log/pods /var/lib/kubelet "$state/pods" "$state/kubelet"
    mount --bind "$state/kubelet" /var/lib/kubelet
    mount --bind "$state/pods" /var/log/pods
    mount --make-rshared /
    # The kubelet wants these set. They hold for the whole machine, so it is made to read that they are.
    mkdir -p /run/sysctl
    for file in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 \
        kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
        value=${file#*=} file=${file%=*}
        echo "$value" >"/run/sysctl/${file//\//.}"
        mount --bind "/run/sysctl/${file//\//.}" "/proc/sys/$file"
    done
    hostname node1
    ip link set lo up
    # A default route, without which neither the API server nor kube-proxy finds an address of its own.
    ip link add node0 type veth peer name node0p
    ip addr add "$node_ip/24" dev node0
    ip link set node0 up
    ip link set node0p up
    ip route add default dev node0
    echo 1 >/proc/sys/net/ipv4/ip_forward
    touch "$state/ready"
    # It reaps what has lost its parent.
    while :; do sleep 3600 & wait $!; done
}

node_pid() { cat "$state/node.pid" 2>/dev/null; }

# Whether the node is up. The pid alone does not say: after a crash another process can have it.
node_runs() { [[ $(tr '\0' ' ' <"/proc/$(node_pid)/cmdline") == *"cluster.sh init $state "* ]]; } 2>/dev/null

# inside COMMAND...: runs it in the node, in this folder. It ends when nsenter is killed, which would leave it running. With
# replace=exec it takes the place of this script, so that whoever kills the script ends the command.
inside() {
    node_runs || die "it is not up: cluster.sh up"
    # shellcheck disable=SC2016
    ${replace:-} nsenter -t "$(node_pid)" -n -m -p -u -i -C -- setpriv --pdeathsig KILL \
        /bin/sh -c 'cd "$0" 2>/dev/null; exec "$@"' "$PWD" "$@"
}

# start NAME COMMAND...: a program of the node, in the background, with its log.
start() {
    local name=$1
    shift
    (
        enter_cgroups
        exec setsid nsenter -t "$(node_pid)" -n -m -p -u -i -C -- "$@" >"$state/$name.log" 2>&1 </dev/null
    ) &
    echo $! >"$state/$name.pid"
    disown # without it, bash prints when it is killed
}

# started NAME: whether it still runs.
started() { [[ -e $state/$1.pid ]] && kill -0 "$(cat "$state/$1.pid")" 2>/dev/null; }

# failed WHAT NAME: ends with the last lines of the program's log.
failed() {
    say "$1; the end of $state/$2.log:" >&2
    tail -n 25 "$state/$2.log" >&2
    exit 1
}

# until_ok NAME SECONDS COMMAND...: waits until the command succeeds. It shows what the command said, and the log of the program,
# if that takes longer or the program ends.
until_ok() {
    local name=$1 end=$((SECONDS + $2)) said
    shift 2
    until said=$("$@" 2>&1); do
        started "$name" || failed "$name has ended" "$name"
        ((SECONDS < end)) || failed "$name: this did not succeed in time: $* ($said)" "$name"
        sleep 0.3
    done
}

start_node() {
    # The pids of all programs are seen from the machine.
    (
        enter_cgroups
        exec setsid unshare --net --mount --pid --uts --ipc --cgroup --fork --kill-child=KILL --mount-proc \
            bash "$here/cluster.sh" init "$state" >"$state/node.log" 2>&1 </dev/null
    ) &
    local unshare=$! first
    disown
    echo "$unshare" >"$state/node.pid"
    until_ok node 15 test -e "$state/ready"
    first=$(<"/proc/$unshare/task/$unshare/children")
    echo "${first% }" >"$state/node.pid"
}

stop_node() {
    if node_runs; then kill -KILL "$(node_pid)" || true; fi
    remove_cgroups
}
