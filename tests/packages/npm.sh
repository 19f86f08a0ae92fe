#!/usr/bin/env bash
# Makes the npm packages from the static binary, and tests them: in an empty project without a registry, with node:test, Vitest,
# Jest and TypeScript, and by their own tests.
# shellcheck source=tests/packages/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

package=$root/packages/npm
quietly=(--no-audit --no-fund --loglevel=error)
# A project with the test runners. It is kept between runs, because installing it takes most of the time.
project=$target/npm-project

rm -f "$PACKAGES"/fauxfax-[0-9]*.tgz "$PACKAGES"/fauxfax-cli-*.tgz
main=$(node "$package/build.mjs" main --out "$PACKAGES")
platform=$(node -p 'process.platform + "-" + process.arch')
program=$(node "$package/build.mjs" platform "$platform" "$FAUXFAX_BIN" --out "$PACKAGES")
# From here on, the program comes only from the packages.
unset FAUXFAX_BIN
export NO_COLOR=1

# Fails if the output of a command ($2 and on) doesn't contain $1.
prints() {
    local wanted=$1 said
    shift
    said=$("$@" 2>&1) || true
    [[ $said == *"$wanted"* ]] || {
        printf '%s should print "%s", but printed:\n%s\n' "$*" "$wanted" "$said" >&2
        return 1
    }
}

# Waits until every process that runs the packaged program has ended, and fails if one is still running after ten seconds. The link
# /proc/PID/exe shows which program a process runs.
all_ended() {
    local exe pid
    for exe in /proc/[0-9]*/exe; do
        [[ $(readlink "$exe") == "$project"/* ]] || continue
        pid=$(basename "$(dirname "$exe")")
        timeout 10 tail --pid="$pid" -f /dev/null || {
            echo "$exe is still running" >&2
            return 1
        }
    done
}

# Saves the programs on page $2 in folder $1, which is beside node_modules, and enters it.
enter_page() {
    local folder=$1 page=$2
    rm -rf "$folder"
    mkdir -p "$folder"
    node "$package/test/blocks.mjs" "$page" "$folder"
    cd "$folder"
}

echo '--- an empty project, without a registry'
mkdir "$work/empty"
cd "$work/empty"
echo '{"private": true}' >package.json
npm install "${quietly[@]}" --offline "$main" "$program"
prints "fauxfax $(project version)" npx fauxfax --version
timeout 60 npx fauxfax demo --once --listen 127.0.0.1:0
node "$package/test/blocks.mjs" "$package/README.md" .
node --test fax.test.mjs

echo '--- without the optional dependencies'
mkdir "$work/omitted"
cd "$work/omitted"
echo '{"private": true}' >package.json
npm install "${quietly[@]}" --offline --omit=optional "$main"
prints 'npm install --include=optional' npx fauxfax --version

echo '--- a project with test runners'
mkdir -p "$project"
if ! cmp -s "$package/test/project/package-lock.json" "$project/.made-from"; then
    rm -rf "$project"
    mkdir -p "$project"
    cp "$package"/test/project/package*.json "$project"
    (cd "$project" && npm ci "${quietly[@]}" --ignore-scripts)
    cp "$package/test/project/package-lock.json" "$project/.made-from"
fi
rm -rf "$project"/node_modules/{fauxfax,@fauxfax}
cp -r "$work"/empty/node_modules/{fauxfax,@fauxfax} "$project/node_modules"
tools=$project/node_modules/.bin

enter_page "$project/readme" "$package/README.md"
"$tools/vitest" run --root . fax.test.ts
"$tools/jest" --rootDir . --testMatch '**/fax.test.js'
# If tests forget to stop the emulator, the test run must still end, and so must the emulator.
grep -v '^afterAll(' fax.test.ts >forgets.test.ts
grep -v '^afterAll(' fax.test.js >forgets.test.js
timeout 60 "$tools/vitest" run --root . forgets.test.ts
timeout 60 "$tools/jest" --rootDir . --testMatch '**/forgets.test.js'
all_ended

enter_page "$project/recipe" "$root/docs/recipes/node-package.md"
node --test inbox.test.mjs signalwire.test.mjs
"$tools/vitest" run --root . vitest.test.mjs
"$tools/jest" --config jest.config.cjs --testMatch '**/jest.test.cjs'

echo '--- types'
cp "$package"/test/project/{sample.ts,tsconfig.json} "$project"
cd "$project"
"$tools/tsc" --project .
# Since version 5.7, TypeScript gives this type a parameter, and writes it wherever it infers the type.
if grep -n 'Uint8Array<' node_modules/fauxfax/lib/*.d.ts; then
    echo 'older versions of TypeScript would refuse these types' >&2
    exit 1
fi
"$tools/attw" "$main"
for tarball in "$main" "$program"; do
    "$tools/publint" --strict "$tarball"
done

echo '--- its own tests'
rm -rf "$project/test"
mkdir "$project/test"
cp "$package"/test/*.mjs "$project/test"
node --test --test-reporter=spec "$project"/test/*.test.mjs "$package/build.test.mjs"

weigh "$main" "$program"
