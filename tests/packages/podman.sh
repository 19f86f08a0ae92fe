# Lets the script that sources this file, after common.sh, use podman without leaving anything behind. The script is run again
# in its own namespaces for mounts, processes and the network, and podman's files are below $work: when the script ends, however
# it ends, the kernel ends the containers and undoes the mounts and the network. The namespaces have no internet access, and every
# port is free. Ends with $SKIPPED where podman can't run containers. Sets $python, a Python with containers/requirements.txt.
# shellcheck shell=bash
: "${root:?}" "${target:?}" "${work:?}" "${FAUXFAX_BIN:?}" "${SKIPPED:?}"

containers=$root/tests/packages/containers
python=$containers/.venv/bin/python

skip() {
    echo "skipped: $*"
    exit "$SKIPPED"
}

install_python() {
    local requirements=$containers/requirements.txt
    cmp -s "$containers/.venv/.made-from" "$requirements" && return
    rm -rf "$containers/.venv"
    python3 -m venv "$containers/.venv"
    "$python" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: -r "$requirements"
    cp "$requirements" "$containers/.venv/.made-from"
}

# Configures a podman that keeps all its files below folder $1.
configure_podman() {
    mkdir -p "$1"
    cat >"$1/storage.conf" <<CONFIGURATION
[storage]
# Works on every file system. The images are small and have one layer.
driver = "vfs"
graphroot = "$1/store"
runroot = "$1/run"
CONFIGURATION
    cat >"$1/containers.conf" <<CONFIGURATION
[containers]
# Where CI is a container itself, higher limits than its own are refused.
default_ulimits = []
log_driver = "k8s-file"
[engine]
# Needs no systemd.
cgroup_manager = "cgroupfs"
events_logger = "file"
# Debian's crun refuses a machine that has both versions of cgroups.
runtime = "runc"
# The default is in /dev/shm and shared by all of the machine.
lock_type = "file"
tmp_dir = "$1/tmp"
volume_path = "$1/volumes"
[network]
network_backend = "netavark"
network_config_dir = "$1/networks"
CONFIGURATION
    export CONTAINERS_CONF=$1/containers.conf CONTAINERS_STORAGE_CONF=$1/storage.conf
}

# Runs the binary in a container without an image, with a port, and fails if that is impossible.
try_podman() {
    mkdir -p "$work/try"
    # Any program would do, as long as it needs no library.
    cp "$FAUXFAX_BIN" "$work/try/fauxfax"
    podman run --rm --publish 127.0.0.1::8329 --rootfs "$work/try" /fauxfax --version
}

case $(uname -m) in
    x86_64) arch=amd64 ;;
    aarch64) arch=arm64 ;;
    *) skip "there is no image for $(uname -m)" ;;
esac
# shellcheck disable=SC2034  # The callers read it.
readonly arch

# Both scripts get the signal. Without a trap, the inner one would ignore it, as the first process of a namespace does. The outer
# one waits for the inner one, and removes the files last.
trap 'exit 143' INT TERM
if [[ -z ${FAUXFAX_IN_NAMESPACE:-} ]]; then
    ((EUID == 0)) || skip 'only root may create the namespaces that the containers are kept in'
    for tool in podman runc iptables ip unshare; do
        command -v "$tool" >/dev/null || skip "$tool is not installed; install_packages in tests/steps.sh names its package"
    done
    unshare --mount --net --pid --fork true || skip 'this machine allows no namespaces (unshare --mount --net --pid)'
    install_python
    export FAUXFAX_IN_NAMESPACE=$work
    status=0
    unshare --mount --net --pid --fork --kill-child --mount-proc bash "$0" "$@" || status=$?
    # Control groups aren't in a namespace. Those that still have a process belong to somebody else's containers, and stay.
    find /sys/fs/cgroup -depth -type d -path '*/libpod_parent/*' -exec rmdir {} \; 2>/dev/null || true
    exit $status
fi

# Uses the folder of the outer script, which removes it once the mounts are gone.
rm -rf "$work"
work=$FAUXFAX_IN_NAMESPACE
trap 'podman rm --all --force --time 0 >/dev/null 2>&1 || true' EXIT
ip link set lo up
# An address of the host that containers can reach. Podman before 4.7 doesn't know host-gateway.
export HOST_ADDRESS=192.0.2.1
ip address add $HOST_ADDRESS/32 dev lo
# Podman keeps the names of networks here.
mount -t tmpfs tmpfs /run
configure_podman "$work/podman"
# The binary runs here; if it then doesn't run in a container, the reason is the machine.
"$FAUXFAX_BIN" --version
try_podman >"$work/log" 2>&1 || skip "podman can't run containers here: $(tail -n 1 "$work/log")"
