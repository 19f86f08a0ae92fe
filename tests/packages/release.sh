#!/usr/bin/env bash
# Checks the workflows, and runs the scripts of a release with the local binary: archive, checksums, bill of materials, release notes.
# Also tests that tags that must not be released are refused.
# shellcheck source=tests/packages/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=tests/packages/linters.sh
source "$root/tests/packages/linters.sh"
cd "$root"
version=$(project version)

echo '--- workflows'
install_linters
check_schema github-workflows .github/workflows/*.yml
check_security .github/workflows
"$linters/bin/python" tests/packages/workflows.py >"$work/targets"

echo '--- tags that are not released'
# A copy, in which the owner and the changelog can be changed.
mkdir "$work/copy"
git ls-files -z --cached --others --exclude-standard | xargs -0 tar -cf - | tar -xf - -C "$work/copy"
cd "$work/copy"
git init --quiet
git add --all
released() {
    python3 packages/release/release.py check "$1"
}
refuses 'Cargo.toml still names' released "v$version"
sed -i 's|github.com/OWNER|github.com/somebody|' Cargo.toml
refuses 'these files still name OWNER' released "v$version"
git grep -lzF OWNER -- ':!packages/project.py' | xargs -0 sed -i -e 's|OWNER/|somebody/|g' -e 's|OWNER\.github|somebody.github|g'
refuses "Cargo.toml names the version $version" released v99.0.0
refuses "Cargo.toml names the version $version" released "$version"
git show :CHANGELOG.md >"$work/unreleased.md"
grep -v "^## $version" "$work/unreleased.md" >CHANGELOG.md
refuses "no section '## $version'" released "v$version"
printf '# Changelog\n\n## %s (2026-01-31)\n\n## 0.0.1\n\n- Old\n' "$version" >CHANGELOG.md
refuses 'is empty' released "v$version"
printf '# Changelog\n\n## Unreleased\n\n- Next\n\n## %s (2026-01-31)\n\n- New\n\n## 0.0.1\n\n- Old\n' "$version" >CHANGELOG.md
released "v$version"
[[ $(python3 packages/release/release.py notes "v$version") == '- New' ]]
cd "$root"

echo '--- archive, checksums, bill of materials'
out=$PACKAGES/release
rm -rf "$out"
bash packages/release/smoke.sh "$FAUXFAX_BIN" >"$work/smoke" || {
    cat "$work/smoke"
    exit 1
}
archive=$(python3 packages/release/archive.py "$FAUXFAX_BIN" "$host" "$out")
python3 packages/release/archive.py "$FAUXFAX_BIN" "$host" "$work" >/dev/null
cmp "$archive" "$work/$(basename "$archive")"
tar -xzf "$archive" -C "$work"
[[ $("$work/fauxfax-$host/fauxfax" --version) == "fauxfax $version" && -s $work/fauxfax-$host/man/fauxfax-serve.1 ]]
tools=$target/tools bash -c "source tests/steps.sh && install_cargo_tools cargo-cyclonedx" >/dev/null
PATH=$target/tools/bin:$PATH bash packages/release/sbom.sh "$out/fauxfax.cdx.json"
python3 - "$out/fauxfax.cdx.json" <<'PYTHON'
import json, sys

names = {component["name"] for component in json.load(open(sys.argv[1]))["components"]}
assert {"fauxfax-core", "hyper", "rustls", "hayro"} <= names, names
assert "wiremock" not in names, "the binary must not contain a crate that only tests need"
print(len(names), "crates in the binary")
PYTHON
python3 packages/release/release.py checksums "$out"
(cd "$out" && sha256sum --check --strict --quiet SHA256SUMS)

echo '--- names of archives that installers rely on'
# The archives that cargo binstall downloads, and the program in them, for each target of the release.
python3 - "$work/targets" >"$work/names" <<'PYTHON'
import json, subprocess, sys

command = ["cargo", "metadata", "--no-deps", "--format-version", "1"]
packages = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)["packages"]
package = next(package for package in packages if package["name"] == "fauxfax")
binstall = package["metadata"]["binstall"]


def fill(text, target):
    facts = {"repo": package["repository"], "version": package["version"], "name": "fauxfax", "bin": "fauxfax", "target": target}
    facts["binary-ext"] = ".exe" if "windows" in target else ""
    for name, value in facts.items():
        text = text.replace("{ %s }" % name, value)
    assert "{" not in text, text
    return text


for target in open(sys.argv[1]).read().split():
    settings = binstall | binstall["overrides"].get(target, {})
    url = fill(settings["pkg-url"], target)
    expected = f"{package['repository']}/releases/download/v{package['version']}/fauxfax-{target}"
    assert url.rsplit(".", 2 if url.endswith(".tar.gz") else 1)[0] == expected, url
    print(url.rsplit("/", 1)[1], fill(settings["bin-dir"], target))
# A system with musl gets the same archives as one with glibc.
for target in ("x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl"):
    settings = binstall | binstall["overrides"][target]
    gnu = target.replace("musl", "gnu")
    assert fill(settings["pkg-url"], target).endswith(f"/fauxfax-{gnu}.tar.gz")
    assert fill(settings["bin-dir"], target) == f"fauxfax-{gnu}/fauxfax"
PYTHON
grep -Fqx "$(basename "$archive") fauxfax-$host/fauxfax" "$work/names"
tar -tzf "$archive" "fauxfax-$host/fauxfax" >/dev/null
# Fails unless the script $1 names the same archives as the release.
same_names() {
    diff <(cut -d ' ' -f 1 "$work/names" | sort) <(grep -ohE 'fauxfax-[a-z0-9_-]+\.(tar\.gz|zip)' "$1" | sort -u) || {
        echo "$1 and the release workflow disagree about the archives"
        return 1
    }
}
same_names packages/action/install.sh

echo '--- files that are not run here'
cut -d ' ' -f 1 "$work/names" | sed "s/^/$(printf '%064d' 0)  /" >"$work/sums"
python3 packages/homebrew/formula.py "$work/sums" >"$work/fauxfax.rb"
refuses 'lacks fauxfax-' python3 packages/homebrew/formula.py "$out/SHA256SUMS"
if grep -n '@' "$work/fauxfax.rb"; then
    echo 'the formula was not filled in'
    exit 1
fi
bash packages/devcontainer/build.sh "$work/feature"
python3 -m json.tool "$work/feature/fauxfax/devcontainer-feature.json" >/dev/null
# The feature's script needs no container: it installs below another folder.
mkdir -p "$work/feature/releases" "$work/feature/prefix/bin"
ln -s "$out" "$work/feature/releases/v$version"
FAUXFAX_RELEASES=file://$work/feature/releases PREFIX=$work/feature/prefix sh "$work/feature/fauxfax/install.sh"
# Parses files with a program, if it is installed. Such programs are too large to be installed only for that.
parse() {
    if command -v "$1" >/dev/null; then
        "$@" >/dev/null
    else
        echo "$1 is not installed, so these were not parsed: ${*:3}"
    fi
}
parse ruby -c "$work/fauxfax.rb"
parse nix-instantiate --parse flake.nix packages/nix/package.nix
weigh "$archive"
