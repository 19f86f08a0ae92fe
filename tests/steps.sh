# Functions for tests/all.sh, tests/packages.sh and some scripts of tests/packages. They run steps, which are timed, logged and
# listed at the end, and they find and install tools.
# shellcheck shell=bash
# The caller sets the folder for logs, the folder for the tools that are built, and cargo's target folder.
: "${logs:=}"
: "${tools:=}"
: "${target:=}"

# A step that hangs is stopped after this time. The longest step, a first build of everything, takes a fraction of it.
readonly STEP_LIMIT_S=${FAUXFAX_STEP_LIMIT_S:-2400}
# The number of lines shown of a failed step's log.
readonly LOG_LINES=60
# The exit status of a step that does not apply on this machine, as in automake.
readonly SKIPPED=77

# The packages that tests/packages.sh makes, in this order: a package comes after those that it is made from.
# shellcheck disable=SC2034  # The callers read it.
readonly PACKAGES_IN_ORDER=(python npm init image testcontainers action deb crates release site)

passed=0
failed=0
skipped=0
table=()
began=$EPOCHREALTIME

# Runs a command as the step named $1. The command has its own process group, so that all its processes can be ended.
step() {
    local name=$1 log=$logs/${1// /-}.log start=$EPOCHREALTIME status
    shift
    printf '%-22s ' "$name"
    # Job control starts the command in its own process group.
    set -m
    "$@" >"$log" 2>&1 </dev/null &
    local job=$!
    set +m
    trap 'kill -- -$job 2>/dev/null; exit 130' INT TERM
    (
        trap 'kill $!; exit' TERM
        sleep "$STEP_LIMIT_S" &
        wait $!
        echo "stopped after $STEP_LIMIT_S s; FAUXFAX_STEP_LIMIT_S raises the limit" >>"$log"
        kill -- -$job
    ) 2>/dev/null &
    local watch=$!
    wait $job
    status=$?
    kill $watch 2>/dev/null
    wait $watch 2>/dev/null
    kill -- -$job 2>/dev/null
    trap - INT TERM
    conclude "$name" $status "$log" "$(seconds_since "$start")"
}

conclude() {
    local name=$1 status=$2 log=$3 seconds=$4 word
    case $status in
        0)
            word=passed
            passed=$((passed + 1))
            ;;
        "$SKIPPED")
            word=skipped
            skipped=$((skipped + 1))
            ;;
        *)
            word=FAILED
            failed=$((failed + 1))
            ;;
    esac
    local said
    said=$(telling_line "$log")
    printf '%-8s %7s s  %s\n' $word "$seconds" "$said"
    table+=("$(printf '%-22s %-8s %7s s  %s' "$name" $word "$seconds" "$said")")
    if [[ $word == FAILED ]]; then
        echo "--- the end of $log:"
        tail -n $LOG_LINES "$log"
        echo '---'
    fi
}

# Prints the most informative line of a log: a test runner's counts, or else the last line.
telling_line() {
    local count
    count=$(grep -aE '^ *Summary|^test result:|[0-9]+ passed|^ℹ (pass|fail) ' "$1" | tail -n 2 | tr -s ' \n' ' ')
    [[ -n $count ]] || count=$(tail -n 1 "$1")
    printf '%.90s' "${count# }"
}

seconds_since() {
    awk -v from="$1" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.1f", to - from }'
}

summary() {
    printf '\n'
    printf '%s\n' "${table[@]}"
    printf '%-22s %-8s %7s s\n\n' total '' "$(seconds_since "$began")"
    local also=
    ((skipped == 0)) || also=", $skipped skipped"
    printf '%d passed, %d failed%s\n' $passed $failed "$also"
    ((failed == 0))
}

# Builds the static binary that is distributed. With a named target, cargo applies the flags only to the program and not to
# build scripts.
build_static() {
    local host
    host=$(rustc -vV | sed -n 's/^host: //p')
    RUSTFLAGS='-C target-feature=+crt-static' cargo build --quiet --profile dist --bin fauxfax --target "$host" &&
        stat -c 'the binary has %s bytes' "$target/$host/dist/fauxfax"
}

# Runs a command if its tool $1 is installed. Otherwise the step is skipped.
need() {
    local tool=$1
    shift
    if ! command -v "$tool" >/dev/null; then
        echo "$tool is not installed"
        return $SKIPPED
    fi
    "$@"
}

# Runs a command if the library of suite $1 is installed. Otherwise the step is skipped, since tests/all.sh --quick installs
# nothing.
installed() {
    local place=tests/sdk/node_modules
    [[ $1 != *python-* ]] || place=tests/sdk/.venv/${1/python-/}
    shift
    if [[ ! -f $place/.made-from ]]; then
        echo 'not installed; run tests/sdk/run.sh --install'
        return $SKIPPED
    fi
    "$@"
}

# Finds cargo. rustup looks for toolchains below HOME; if HOME has none, those beside the cargo on PATH are used.
find_rust() {
    local cargo home
    cargo=$(command -v cargo) || {
        echo 'cargo is not on PATH; install Rust 1.92 or newer' >&2
        return 1
    }
    home=$(dirname "$(dirname "$cargo")")
    if [[ $(basename "$home") == .cargo ]]; then
        [[ -n ${CARGO_HOME:-} || -d ${HOME:-/nonexistent}/.cargo || ! -w $home ]] || export CARGO_HOME=$home
        [[ -n ${RUSTUP_HOME:-} || -d ${HOME:-/nonexistent}/.rustup || ! -d $home/../.rustup ]] ||
            export RUSTUP_HOME=${home%/.cargo}/.rustup
    fi
    cargo --version
}

# The tools that cargo installs, with their versions. They check dependencies and make packages.
readonly CARGO_TOOLS=(
    cargo-cyclonedx@0.5.9
    cargo-deb@3.8.0
    cargo-deny@0.20.2
    cargo-machete@0.9.1
)

# Builds the named tools, or all of them, in $tools, unless these versions are already there. The builds are not optimised,
# since each tool runs only once.
install_cargo_tools() {
    local crate
    for crate in "${CARGO_TOOLS[@]}"; do
        (($# == 0)) || [[ " $* " == *" ${crate%@*} "* ]] || continue
        grep -qs "^${crate/@/ }$" "$tools/versions" && continue
        CARGO_PROFILE_DEV_DEBUG=0 CARGO_TARGET_DIR=$tools/build \
            cargo install --quiet --locked --debug --root "$tools" "$crate" || return
        echo "${crate/@/ }" >>"$tools/versions"
    done
    rm -rf "$tools/build"
    cat "$tools/versions"
}

# Installs Debian packages for missing tools. If that fails, the step fails and names them all.
install_packages() {
    local missing=()
    python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
    command -v node >/dev/null || missing+=(nodejs)
    command -v npm >/dev/null || missing+=(npm)
    php -r 'exit(extension_loaded("curl") ? 0 : 1);' 2>/dev/null || missing+=(php-cli php-curl)
    command -v java >/dev/null || missing+=(default-jdk-headless)
    command -v cc >/dev/null || missing+=(gcc libc6-dev)
    # These read fax pages.
    command -v tiffinfo >/dev/null || missing+=(libtiff-tools)
    command -v pdfinfo >/dev/null || missing+=(poppler-utils)
    command -v qpdf >/dev/null || missing+=(qpdf)
    command -v gs >/dev/null || missing+=(ghostscript)
    # These run containers. netavark needs iptables, and aardvark-dns lets the services of a Compose file find each other.
    command -v podman >/dev/null || missing+=(podman)
    command -v runc >/dev/null || missing+=(runc)
    [[ -x /usr/lib/podman/netavark ]] || missing+=(netavark)
    [[ -x /usr/lib/podman/aardvark-dns ]] || missing+=(aardvark-dns)
    command -v iptables >/dev/null || missing+=(iptables)
    command -v ip >/dev/null || missing+=(iproute2)
    # These make and check the Debian package.
    command -v strip >/dev/null || missing+=(binutils)
    command -v lintian >/dev/null || missing+=(lintian)
    command -v man >/dev/null || missing+=(man-db)
    command -v systemd-analyze >/dev/null || missing+=(systemd)
    command -v curl >/dev/null || missing+=(curl)
    [[ ! -d tests/browser ]] || command -v chromium >/dev/null || missing+=(chromium)
    [[ ! -d tests/browser ]] || command -v firefox-esr >/dev/null || missing+=(firefox-esr)
    if ((${#missing[@]})); then
        echo "missing: ${missing[*]}"
        local as_root=()
        ((EUID == 0)) || as_root=(sudo -n)
        if ! "${as_root[@]}" apt-get update -q ||
            ! "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
                apt-get install -yq --no-install-recommends "${missing[@]}"; then
            echo "these can't be installed here; install them by hand: ${missing[*]}"
            return 1
        fi
    fi
    node -e 'process.exit(process.versions.node.split(".")[0] < 20 ? 1 : 0)' || {
        echo "Node 20 or newer is needed, but this is $(node --version); install a newer one"
        return 1
    }
    echo "$(python3 --version), node $(node --version), $(df -h --output=avail . | tail -n 1 | tr -d ' ')B free"
}
