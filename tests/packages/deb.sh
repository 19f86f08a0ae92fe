#!/usr/bin/env bash
# Makes the Debian package and checks it with lintian. Then installs, upgrades, removes and purges it with an empty folder in place
# of the root folder, so that this machine is unchanged.
# shellcheck source=tests/packages/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# The maximum exposure of the service; that of a service without any protection is 100. See systemd-analyze(1).
readonly EXPOSURE_MAX=15

for tool in lintian systemd-analyze man strip; do
    command -v $tool >/dev/null || {
        echo "$tool is missing; install_packages in tests/steps.sh installs it"
        exit 1
    }
done
tools=$target/tools bash -c "source '$root/tests/steps.sh' && install_cargo_tools cargo-deb" >/dev/null
PATH=$target/tools/bin:$PATH

echo '--- package'
rm -f "$PACKAGES"/*.deb
bash "$root/packages/debian/build.sh" "$FAUXFAX_BIN" "$PACKAGES"
package=$(ls "$PACKAGES"/*.deb)
lintian --allow-root --fail-on error,warning --info "$package"

echo '--- install'
system=$work/system
mkdir -p "$system"/var/lib/dpkg/{info,updates,triggers}
touch "$system/var/lib/dpkg/status" "$system/var/lib/dpkg/available"
# --force-depends, because the empty folder lacks even the packages that every system has.
install_with_dpkg() {
    dpkg --root="$system" --log="$work/dpkg.log" --force-script-chrootless --force-not-root --force-depends "$@"
}
state() {
    dpkg-query --admindir="$system/var/lib/dpkg" --showformat '${db:Status-Status} ${Version}' --show fauxfax
}
version=$(project version)
install_with_dpkg --install "$package"
[[ $(state) == "installed $version-1" ]]
[[ $("$system/usr/bin/fauxfax" --version) == "fauxfax $version" ]]
[[ $(man -w -M "$system/usr/share/man" fauxfax) == "$system/usr/share/man/man1/fauxfax.1.gz" ]]
man -M "$system/usr/share/man" --warnings fauxfax-receive 2>&1 >/dev/null | tee "$work/man"
[[ ! -s $work/man ]]
bash -c "source '$system/usr/share/bash-completion/completions/fauxfax' && complete -p fauxfax" >/dev/null

echo '--- the service'
# A copy of the unit with paths in the folder $system. It refers to targets of this machine.
unit=$work/fauxfax.service
sed "s|=/usr/bin/|=$system/usr/bin/|" "$system/usr/lib/systemd/system/fauxfax.service" >"$unit"
systemd-analyze verify --man=no "$unit"
systemd-analyze security --offline=yes --threshold=$EXPOSURE_MAX --no-pager "$unit" | tail -n 1
# With the unit's variables, the emulator must save its state in the only folder in which systemd lets it write.
mapfile -t variables < <(sed -n "s|%S|$work/lib|; s|^Environment=||p" "$unit")
mkdir -p "$work/lib/fauxfax"
coproc emulator {
    exec env "${variables[@]}" FAUXFAX_LISTEN=127.0.0.1:0 "$system/usr/bin/fauxfax" serve 2>"$work/log"
}
server=${emulator_PID:?}
trap 'kill $server 2>/dev/null || true; rm -rf "$work"' EXIT
read -r -t 20 _ ready _ <&"${emulator[0]}" || cat "$work/log"
[[ $ready == ready ]]
kill -TERM "$server"
wait "$server"
grep -q fauxfax_state "$work/lib/fauxfax/state.json"
# Users start the service themselves, so the package must not enable it.
[[ ! -e $system/etc/systemd/system/multi-user.target.wants/fauxfax.service ]]

echo '--- upgrade, remove, purge'
dpkg-deb -R "$package" "$work/next"
sed -i "s/^Version: .*/Version: $version-2/" "$work/next/DEBIAN/control"
dpkg-deb -Znone --root-owner-group -b "$work/next" "$work/next.deb" >/dev/null
install_with_dpkg --install "$work/next.deb"
[[ $(state) == "installed $version-2" ]]
install_with_dpkg --remove fauxfax
[[ ! -e $system/usr/bin/fauxfax ]]
install_with_dpkg --install "$package"
install_with_dpkg --purge fauxfax
left=$(find "$system" -path "$system/var/lib/dpkg" -prune -o -type f -print -o -type l -print)
[[ -z $left ]] || {
    printf 'after a purge, these files are left:\n%s\n' "$left"
    exit 1
}
weigh "$package"
