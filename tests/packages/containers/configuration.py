"""Prints an image's configuration without the parts that differ between builds, from the output of `podman image inspect`.

    configuration.py          only prints it
    configuration.py check    first checks the settings that fauxfax needs, and the project's labels
"""

import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "packages"))

import project

PREFIX = "org.opencontainers.image."
#: The labels that only packages/image/build.sh sets.
OF_A_BUILD = ("revision", "source", "url", "version")
SETTINGS = {
    "User": "65534:65534",
    "Entrypoint": ["/fauxfax"],
    "Cmd": ["serve"],
    "ExposedPorts": {"8329/tcp": {}},
    "Healthcheck": ["CMD", "/fauxfax", "healthcheck"],
}


def main(arguments):
    (image,) = json.load(sys.stdin)
    labels = {name[len(PREFIX) :]: text for name, text in image["Labels"].items() if name.startswith(PREFIX)}
    config = {**image["Config"], "Healthcheck": image.get("Healthcheck", {})}
    if arguments == ["check"]:
        check(labels, config)
    config["Labels"] = {name: text for name, text in labels.items() if name not in OF_A_BUILD}
    print(json.dumps({**config, "Architecture": image["Architecture"], "Os": image["Os"]}, indent=1, sort_keys=True))


def check(labels, config):
    facts = project.facts()
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    wanted = {
        "title": facts["name"],
        "description": facts["description"],
        "licenses": facts["license"],
        "version": facts["version"],
        "revision": commit.strip(),
        "source": facts["repository"],
        "url": facts["repository"],
    }
    expect("labels", labels, wanted)
    for name, value in SETTINGS.items():
        found = config[name].get("Test") if name == "Healthcheck" else config.get(name)
        expect(name, found, value)
    variables = dict(variable.split("=", 1) for variable in config["Env"])
    expect("FAUXFAX_LISTEN", variables.get("FAUXFAX_LISTEN"), "0.0.0.0:8329")


def expect(what, found, wanted):
    if found != wanted:
        sys.exit(f"{what}: the image has {found} instead of {wanted}")


if __name__ == "__main__":
    main(sys.argv[1:])
