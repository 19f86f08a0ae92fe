# Linters for GitHub's actions and workflows, which the scripts beside this file use. They source common.sh first.
# shellcheck shell=bash

linters=${target:?}/tools/workflow-linters

# Installs the linters if they are missing or have other versions.
install_linters() {
    local list=${root:?}/tests/packages/linters.txt
    cmp -s "$linters/.made-from" "$list" && return
    rm -rf "$linters"
    python3 -m venv "$linters"
    "$linters/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: -r "$list"
    cp "$list" "$linters/.made-from"
}

# Checks files against the schema that check-jsonschema bundles under the name $1, without the network.
check_schema() {
    local schema=$1
    shift
    "$linters/bin/check-jsonschema" --builtin-schema "vendor.$schema" "$@"
}

# Looks for security holes in actions and workflows, without the network.
check_security() {
    "$linters/bin/zizmor" --offline --no-progress --quiet --persona pedantic "$@"
}

# Checks that a command fails, and that what it prints matches the pattern $1.
refuses() {
    local pattern=$1 said
    shift
    if said=$("$@" 2>&1); then
        echo "this should have failed: $*"
        return 1
    fi
    grep -q -- "$pattern" <<<"$said" || {
        printf 'the error of %s should contain %s, but is:\n%s\n' "$*" "$pattern" "$said"
        return 1
    }
}
