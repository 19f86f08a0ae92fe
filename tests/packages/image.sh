#!/usr/bin/env bash
# Builds the container image from the static binary and uses it as its users would: runs it hardened, calls it through its port and
# with exec, stops it with signals, and follows docs/recipes/docker.md with its commands and Compose files. Skipped where podman
# can't run containers.
set -euo pipefail
# shellcheck source=tests/packages/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$root"
# shellcheck source=tests/packages/podman.sh
source tests/packages/podman.sh

readonly HARDENED=(--read-only --cap-drop all --user 65534:65534 --security-opt no-new-privileges)
# How long a container may take to become healthy, and to stop after a signal.
readonly HEALTHY_S=20 STOPPED_S=3
letter=fixtures/documents/two-pages.pdf
archive=$PACKAGES/fauxfax-image-$(project version)-$arch.tar
image=$(bash packages/image/build.sh name)

# The commands of the docs, which call docker, run with podman.
mkdir "$work/bin"
ln -s "$(command -v podman)" "$work/bin/docker"
export PATH=$work/bin:$PATH

die() {
    echo "$*" >&2
    podman ps --all >&2
    exit 1
}

# Fails unless the output of a command, given after the description $1 and the pattern $2, contains the pattern.
prints() {
    local what=$1 pattern=$2 output
    shift 2
    output=$("$@" 2>&1) || die "$what: exit status $?: $output"
    grep -qE -- "$pattern" <<<"$output" || die "$what: prints no '$pattern': $output"
}

wait_until_healthy() {
    local end=$((SECONDS + HEALTHY_S))
    until podman healthcheck run "$1" >/dev/null 2>&1; do
        ((SECONDS < end)) || die "$1 isn't healthy after $HEALTHY_S s: $(podman logs "$1" 2>&1)"
    done
}

# Sends signal $2 to container $1, which must end in time and with status 0.
stop_with() {
    local start=$EPOCHREALTIME status took
    podman kill --signal "$2" "$1" >/dev/null
    # Without systemd, podman complains that it has no timer to remove.
    status=$(timeout "$HEALTHY_S" podman wait "$1" 2>"$work/log") || die "$1 doesn't stop after SIG$2"
    took=$(awk -v from="$start" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.1f", to - from }')
    [[ $status == 0 ]] || die "after SIG$2, $1 exited with $status instead of 0: $(podman logs "$1" 2>&1)"
    awk -v took="$took" -v limit=$STOPPED_S 'BEGIN { exit took > limit }' || die "$1 took $took s to stop after SIG$2"
    podman rm "$1" >/dev/null 2>"$work/log" || die "$(cat "$work/log")"
    echo "stopped after SIG$2 in $took s"
}

# Prints the block of the page that is marked "tested=image.sh" and contains $1.
block() {
    awk -v wanted="$1" '
        /^```/ { if (inside && index(text, wanted)) { printf "%s", text; found++ } inside = /tested=image.sh/; text = ""; next }
        { text = text $0 "\n" }
        END { exit found != 1 }' docs/recipes/docker.md || die "docs/recipes/docker.md must have exactly one tested block with: $1"
}

# Runs a script that starts the container $1.
start_by() {
    bash -euo pipefail "$2" >"$work/log" 2>&1 || die "$(cat "$2" "$work/log")"
    wait_until_healthy "$1"
}

configuration() {
    podman image inspect "$1" | python3 tests/packages/containers/configuration.py "${@:2}"
}

echo '--- the image'
packages/image/build.sh archive "$archive" "$arch=$FAUXFAX_BIN" >/dev/null
podman rmi --all --force >/dev/null
podman load --quiet --input "$archive" >/dev/null
podman tag "$image" fauxfax
configuration fauxfax check >/dev/null

echo '--- the Dockerfile as it is'
# Its base image isn't available without a registry. An empty image takes its place, with the tools of this machine and, instead of
# a compiler, commands that provide the binary.
mkdir "$work/tools"
cat >"$work/tools/rustc" <<'TOOL'
#!/bin/bash
echo 'host: of-a-test'
TOOL
cat >"$work/tools/cargo" <<'TOOL'
#!/bin/bash
set -euo pipefail
[[ "$*" == 'build --profile dist --locked --bin fauxfax --target of-a-test' && $RUSTFLAGS == '-C target-feature=+crt-static' ]]
[[ -f Cargo.lock && -f src/main.rs ]]
install -D /tools/fauxfax target/of-a-test/dist/fauxfax
TOOL
chmod +x "$work"/tools/*
ln "$FAUXFAX_BIN" "$work/tools/fauxfax" 2>/dev/null || cp "$FAUXFAX_BIN" "$work/tools/fauxfax"
base=$(sed -n 's/^FROM \(.*\) AS build$/\1/p' Dockerfile)
printf 'FROM scratch\nENV PATH=/tools:/usr/bin:/bin\n' | podman build --quiet --format docker --tag "docker.io/library/$base" - >/dev/null
mounts=("--volume=$work/tools:/tools:ro")
for folder in /usr /bin /lib /lib64; do
    mounts+=("--volume=$(realpath "$folder"):$folder:ro")
done
podman build --quiet --format docker --layers=false --pull-never "${mounts[@]}" --tag from-dockerfile . \
    >"$work/log" 2>&1 || die "$(cat "$work/log")"
diff <(configuration from-dockerfile) <(configuration "$image") || die 'the Dockerfile and packages/image/build.sh make different images'
podman run --rm "${HARDENED[@]}" from-dockerfile --version
podman rmi from-dockerfile "$base" >/dev/null

echo '--- commands'
prints 'run IMAGE --help' 'serve .*emulator' podman run --rm "${HARDENED[@]}" fauxfax --help
prints 'run IMAGE --version' "^fauxfax $(project version)$" podman run --rm "${HARDENED[@]}" fauxfax --version
status=0
podman run --rm "${HARDENED[@]}" fauxfax serve --no-such-flag >"$work/out" 2>"$work/err" || status=$?
[[ $status == 2 && ! -s $work/out ]] || die "a wrong flag: exit status $status: $(cat "$work/out")"
grep -q "unexpected argument '--no-such-flag'" "$work/err" || die "a wrong flag: $(cat "$work/err")"

echo '--- hardened, as nobody, read-only'
podman run --detach --name hardened "${HARDENED[@]}" --publish 127.0.0.1:18329:8329 \
    --env FAUXFAX_FAX_TWIML='<Response><Receive/></Response>' fauxfax >"$work/log" 2>&1 || die "$(cat "$work/log")"
wait_until_healthy hardened
url=http://127.0.0.1:18329
[[ $(curl --silent --fail "$url/readyz") == ok ]]
prints 'receive through the port' '^received: FX' "$FAUXFAX_BIN" receive --url "$url" --wait "$letter"
prints 'send through the port' '^delivered: FX' "$FAUXFAX_BIN" send --url "$url" --from +15005550006 --to +15558675310 \
    http://localhost:8329/_fauxfax/v1/samples/two-pages.pdf --wait
podman logs hardened >"$work/out" 2>"$work/err"
grep -qE '^fauxfax ready http://127\.0\.0\.1:8329 account AC0{32} token 0{32}$' "$work/out" || die "stdout: $(cat "$work/out")"
[[ $(wc -l <"$work/out") == 1 ]] || die "stdout has more than the ready line: $(cat "$work/out")"
grep -q 'WARN anyone who can reach this port can use the control API' "$work/err" || die "stderr: $(cat "$work/err")"
stop_with hardened TERM

echo '--- the commands of docs/recipes/docker.md'
block 'docker build' | sed -n 's/^docker run --rm/docker run --name plain --detach/p' >"$work/plain.sh"
start_by plain "$work/plain.sh"
[[ $(curl --silent --fail http://127.0.0.1:8329/readyz) == ok ]]
prints 'the commands of the page in the container' '^received: FX' bash -euo pipefail -c "$(block 'docker exec' | sed 's/CONTAINER/plain/')"
stop_with plain INT

echo '--- worlds in a file on the host'
# On the page, the user who starts the container owns the file and is not root; here, root starts it on behalf of such a user.
user=1234
mkdir "$work/kept"
chown $user:$user "$work/kept"
chmod 0711 "$work"
{
    echo "cd '$work/kept'"
    block FAUXFAX_STATE | sed "s/\"\$(id -u):\$(id -g)\"/$user:$user/; s/^docker run --rm/docker run --name kept --detach/
        s/^touch/setpriv --reuid=$user --regid=$user --clear-groups &/"
} >"$work/kept.sh"
for faxes in 1 2; do
    start_by kept "$work/kept.sh"
    podman exec kept /fauxfax send --from +15005550006 --to +15558675310 \
        http://localhost:8329/_fauxfax/v1/samples/two-pages.pdf --wait >/dev/null
    [[ $(podman exec kept /fauxfax faxes --json | grep -c '"sid": *"FX') == "$faxes" ]] || die "not $faxes faxes after start $faxes"
    stop_with kept TERM
done
[[ $(stat -c %u "$work/kept/state.json") == "$user" ]]

compose=("$python" -m podman_compose --no-ansi --in-pod false)
# Starts the services of the Compose files $2… as project $1. The emulator is then the container $1_fauxfax_1.
up() {
    local project=$1 files=() starting
    shift
    for file in "$@"; do
        files+=(--file "$file")
    done
    # The images exist; one of them could not be built without a registry.
    "${compose[@]}" --project-name "$project" "${files[@]}" up --detach --no-build >"$work/log" 2>&1 &
    starting=$!
    until podman container exists "${project}_fauxfax_1"; do
        kill -0 $starting 2>/dev/null || die "podman-compose: $(cat "$work/log")"
    done
    # Podman leaves health checks to systemd. Without systemd, services that depend on a healthy one would wait forever.
    wait_until_healthy "${project}_fauxfax_1"
    wait $starting || die "podman-compose: $(cat "$work/log")"
}

echo '--- an app on the host, by docs/recipes/compose.yaml'
"$python" "$containers/app.py" 3000 >"$work/app" 2>&1 &
app=$!
sed "s/host-gateway/$HOST_ADDRESS/" docs/recipes/compose.yaml >"$work/compose.yaml"
up host "$work/compose.yaml"
prints 'receive' '^received: FX' "$FAUXFAX_BIN" receive --wait "$letter"
"$python" "$containers/received.py" localhost:3000 http://localhost:8329 <"$work/app"
kill $app
stop_with host_fauxfax_1 TERM

echo '--- an app in the same project, by docs/recipes/docker.md'
block depends_on >"$work/project.yaml"
# No image with the app can be built without a registry, so the app runs in the emulator's image with the tools of this machine.
prefix=$("$python" -c 'import sys; print(sys.base_prefix)')
cat >"$work/app.yaml" <<COMPOSE
services:
  fauxfax:
    image: fauxfax
  app:
    image: fauxfax
    user: "0"
    entrypoint: ["$(realpath "$prefix/bin/python3")", "-u", "/app.py", "3000"]
    environment:
      PYTHONHOME: $prefix
    volumes:
      - $containers/app.py:/app.py:ro
      - $prefix:$prefix:ro
      - $(realpath /usr):/usr:ro
      - $(realpath /lib):/lib:ro
      - $(realpath /lib64):/lib64:ro
COMPOSE
up project "$work/project.yaml" "$work/app.yaml"
podman logs project_app_1
prints 'receive in the project' '^received: FX' bash -euo pipefail -c "$(block 'docker compose exec' |
    sed "s/docker compose exec/podman exec/; s/exec fauxfax/exec project_fauxfax_1/")"
podman logs project_app_1 >"$work/app"
"$python" "$containers/received.py" app:3000 http://fauxfax:8329 <"$work/app"
weigh "$archive"
