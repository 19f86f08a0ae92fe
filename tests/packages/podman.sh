# A script that sources this file, after common.sh, can use podman and leaves nothing behind. This file runs the script again in
# namespaces of its own for mounts, processes and the network, and keeps podman's files below $work. However the script ends, the
# kernel then ends the containers and undoes the mounts and the network. The namespaces have no internet access, and every port is
# free. Exits with $SKIPPED where podman can't run containers. Sets $python to a Python with containers/requirements.txt.
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
# If CI itself runs in a container, limits above that container's own are refused.
default_ulimits = []
log_driver = "k8s-file"
[engine]
# Needs no systemd.
cgroup_manager = "cgroupfs"
events_logger = "file"
# Debian's crun fails on a machine that uses both versions of cgroups.
runtime = "runc"
# The default, shared memory in /dev/shm, is common to the whole machine.
lock_type = "file"
tmp_dir = "$1/tmp"
volume_path = "$1/volumes"
[network]
network_backend = "netavark"
network_config_dir = "$1/networks"
CONFIGURATION
    export CONTAINERS_CONF=$1/containers.conf CONTAINERS_STORAGE_CONF=$1/storage.conf
}

# Runs the binary in a container that has a port but no image. Fails if that is impossible.
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

# The script and its second run, in the namespaces, both get the signal. Without a trap, the second run would ignore it, as the
# first process of a namespace does. The first run waits for the second, and removes the files last.
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
    # Control groups aren't in a namespace, so podman's are removed. Those with a process can't be removed, and belong to others.
    find /sys/fs/cgroup -depth -type d -path '*/libpod_parent/*' -exec rmdir {} \; 2>/dev/null || true
    exit $status
fi

# Uses the folder of the first run, which removes it once the mounts are gone.
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
# The binary must run outside a container, so that a failure within one can only be due to the machine.
"$FAUXFAX_BIN" --version
try_podman >"$work/log" 2>&1 || skip "podman can't run containers here: $(tail -n 1 "$work/log")"
