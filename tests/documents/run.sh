#!/usr/bin/env bash
# What `fauxfax convert` writes, read by programs that have nothing to do with it: each file must pass tiffinfo, tiff2pdf,
# qpdf --check, pdfinfo and Ghostscript without a word, and the pels of the TIFF (libtiff) be those of the PDF (poppler).
#
#   tests/documents/run.sh [FOLDER]
#
# FOLDER has the documents; without it those of fixtures/documents and the emulator's own test pages are taken. FAUXFAX_BIN
# names the binary; without it that of cargo build is taken.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
fauxfax=$(realpath -m "${FAUXFAX_BIN:-${CARGO_TARGET_DIR:-target}/debug/fauxfax}")
[[ -x $fauxfax ]] || {
    echo "$fauxfax is not there; build it: cargo build --bin fauxfax" >&2
    exit 1
}
for tool in tiffinfo tiff2pdf tiffsplit tiffcp qpdf pdfinfo pdftoppm gs python3; do
    command -v "$tool" >/dev/null || {
        echo "$tool is not installed: libtiff-tools, qpdf, poppler-utils and ghostscript are needed"
        exit 77
    }
done

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
documents=()
if (($#)); then
    documents+=("$1"/*.pdf)
else
    python3 tests/documents/make.py "$scratch"
    documents+=("$scratch"/*.pdf "$scratch"/*.png fixtures/documents/two-pages.pdf fixtures/documents/empty-password.pdf)
fi

# Runs a reader that must succeed and say nothing on standard error.
silent() {
    "$@" >/dev/null 2>"$scratch/said" && [[ ! -s $scratch/said ]] && return
    echo "$* says:" >&2
    cat "$scratch/said" >&2
    return 1
}

files=0
pages=0
for document in "${documents[@]}"; do
    for quality in standard fine superfine; do
        tiff=$scratch/page.tiff pdf=$scratch/page.pdf
        "$fauxfax" convert --quiet --quality $quality "$document" "$tiff"
        "$fauxfax" convert --quiet --quality $quality "$document" "$pdf"
        silent tiffinfo -D "$tiff"
        silent tiff2pdf -o "$scratch/tiff2pdf.pdf" "$tiff"
        silent qpdf --check "$pdf"
        silent pdfinfo "$pdf"
        silent gs -q -dNOPAUSE -dBATCH -sDEVICE=nullpage "$pdf"
        silent gs -q -dNOPAUSE -dBATCH -sDEVICE=nullpage "$scratch/tiff2pdf.pdf"
        same=$(python3 tests/documents/same_pels.py "$tiff" "$pdf")
        files=$((files + 2))
        pages=$((pages + same))
    done
done
echo "$files files without a warning; the pels of $pages pages are the same in TIFF and PDF"
