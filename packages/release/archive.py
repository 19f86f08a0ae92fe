#!/usr/bin/env python3
"""Makes the archive of a release from a binary: fauxfax-TARGET.tar.gz, or .zip for Windows, with a folder of the same name.

    python3 packages/release/archive.py BINARY TARGET FOLDER

The archive contains the binary, its licences, README and changelog, and the manual pages and completions that the binary
prints. The same binary in the same checkout gives the same archive, byte for byte. The binary must run on this machine, and
have the version that Cargo.toml names.
"""

import gzip
import io
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "packages"))
import project  # noqa: E402

DOCUMENTS = ("LICENSE-APACHE", "LICENSE-MIT", "README.md", "CHANGELOG.md")
#: The name of the file in which each shell looks for its completions.
COMPLETIONS = {"bash": "fauxfax.bash", "zsh": "_fauxfax", "fish": "fauxfax.fish", "powershell": "_fauxfax.ps1"}
#: The time of each file in an archive: the earliest that a zip file can hold.
MODIFIED = (1980, 1, 1, 0, 0, 0)
MODIFIED_S = 315532800


def contents(binary, target):
    """Returns the files of the archive by their names in it, with their permissions."""
    said = run(binary, "--version").decode().split()
    version = project.facts()["version"]
    if said != ["fauxfax", version]:
        sys.exit(f"{binary} says that it is {' '.join(said)}, but Cargo.toml names the version {version}; build it again")
    files = {"fauxfax.exe" if "windows" in target else "fauxfax": (binary.read_bytes(), 0o755)}
    for name in DOCUMENTS:
        files[name] = ((ROOT / name).read_bytes(), 0o644)
    for shell, name in COMPLETIONS.items():
        files[f"completions/{name}"] = (run(binary, "completions", shell), 0o644)
    with tempfile.TemporaryDirectory() as folder:
        run(binary, "man", "--dir", folder)
        for page in pathlib.Path(folder).iterdir():
            files[f"man/{page.name}"] = (page.read_bytes(), 0o644)
    return dict(sorted(files.items()))


def run(binary, *arguments):
    return subprocess.run([binary, *arguments], check=True, stdout=subprocess.PIPE).stdout


def tar(folder, files):
    """Returns a compressed tar file that doesn't record who made it or when."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, (data, mode) in files.items():
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size, entry.mode, entry.mtime = len(data), mode, MODIFIED_S
            archive.addfile(entry, io.BytesIO(data))
    return gzip.compress(packed.getvalue(), mtime=0)


def zipped(folder, files):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, (data, mode) in files.items():
            entry = zipfile.ZipInfo(f"{folder}/{name}", MODIFIED)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, mode << 16
            archive.writestr(entry, data)
    return packed.getvalue()


def main(binary, target, out):
    folder = f"fauxfax-{target}"
    files = contents(pathlib.Path(binary).resolve(), target)
    if "windows" in target:
        path, data = pathlib.Path(out) / f"{folder}.zip", zipped(folder, files)
    else:
        path, data = pathlib.Path(out) / f"{folder}.tar.gz", tar(folder, files)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    print(path)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit("usage: packages/release/archive.py BINARY TARGET FOLDER")
    main(*sys.argv[1:])
