#!/usr/bin/env bash
# Tests the emulator with Testcontainers, over podman's socket: the Python module, and the recipes of docs/recipes/testcontainers.md
# for Python and Node. Skipped where podman can't run containers.
set -euo pipefail
# shellcheck source=tests/packages/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$root"
# The recipes' packages are installed first, since the rest of the script has no access to the internet.
node_modules=tests/packages/containers/node_modules
if [[ -z ${FAUXFAX_IN_NAMESPACE:-} ]] && ! cmp -s $node_modules/.made-from tests/packages/containers/package-lock.json; then
    npm ci --prefix tests/packages/containers --ignore-scripts --no-audit --no-fund --loglevel=error
    cp tests/packages/containers/package-lock.json $node_modules/.made-from
fi
# shellcheck source=tests/packages/podman.sh
source tests/packages/podman.sh

readonly SOCKET_S=20

bash packages/image/build.sh archive "$work/image.tar" "$arch=$FAUXFAX_BIN" >/dev/null
rm "$work/image.tar"
FAUXFAX_IMAGE=$(bash packages/image/build.sh name)
# To Docker's API, an image name without a registry is a name on Docker Hub.
podman tag "$FAUXFAX_IMAGE" docker.io/library/fauxfax

socket=$work/podman.sock
podman system service --time 0 "unix://$socket" >"$work/service" 2>&1 &
end=$((SECONDS + SOCKET_S))
until curl --silent --fail --unix-socket "$socket" http://podman/_ping >/dev/null; do
    ((SECONDS < end)) || {
        echo "podman's service doesn't answer: $(cat "$work/service")"
        exit 1
    }
    sleep 0.1
done
# Ryuk, which removes leftover containers, would need another image. Testcontainers might take the script's namespaces for a
# container, so it is told to reach containers as it does on a host.
export FAUXFAX_IMAGE DOCKER_HOST=unix://$socket TESTCONTAINERS_RYUK_DISABLED=true TESTCONTAINERS_CONNECTION_MODE=docker_host
unset FAUXFAX_URL FAUXFAX_CONTROL_TOKEN PYTEST_ADDOPTS

export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$root/packages/python/src

# Prints the block of the page in language $1 that is marked "tested=testcontainers.sh".
block() {
    awk -v mark="^\`\`\`$1 tested=testcontainers.sh" '/^```/ { inside = $0 ~ mark; found += inside; next } inside
        END { exit found != 1 }' docs/recipes/testcontainers.md
}

# Runs pytest without the configuration and the fixtures of the package's tests. A skipped test is an error here.
run_pytest() {
    "$python" -m pytest --quiet -p no:cacheprovider -c /dev/null --noconftest --rootdir "$(dirname "$1")" "$@" | tee "$work/log"
    if grep -q skipped "$work/log"; then
        echo 'a test was skipped although there is a container engine'
        exit 1
    fi
}

echo '--- the Python module'
run_pytest packages/python/tests/test_testcontainers.py

echo '--- the recipe for Python'
mkdir "$work/recipe"
{
    echo 'import sys'
    echo "sys.path.insert(0, '$root/packages/python/tests')"
    echo 'from test_testcontainers import HOST, app'
    # Podman before 4.7 must be told the host's address.
    block python | sed 's/FauxfaxContainer("fauxfax")/FauxfaxContainer("fauxfax", **HOST)/'
} >"$work/recipe/test_recipe.py"
run_pytest "$work/recipe/test_recipe.py"

echo '--- the recipe for Node'
# Node looks for packages in the folders above a file.
recipe=$(mktemp -d tests/packages/containers/recipe-XXXXXX)
trap 'rm -rf "$root/$recipe"; podman rm --all --force --time 0 >/dev/null 2>&1 || true' EXIT
block js | sed "s/host-gateway/$HOST_ADDRESS/" >"$recipe/recipe.test.mjs"
node --test --test-reporter=spec "$recipe/recipe.test.mjs"
