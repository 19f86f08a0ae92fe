"""Checks rules for the release workflow that no linter knows: nothing is published before the tag has been checked, only jobs
that publish, attest or deploy get an id-token, and jobs that run the code of dependencies may only read. Prints the release's
targets, one per line.
"""

import pathlib
import sys

from ruamel.yaml import YAML

FOLDER = pathlib.Path(__file__).resolve().parent.parent.parent / ".github/workflows"
#: The jobs that may get an id-token, and what each of them does with it.
IDENTIFIED = {"draft": "attests", "crates": "publishes", "pypi": "publishes", "npm": "publishes", "image": "attests", "site": "deploys"}


def needed(jobs, name):
    """Returns the jobs that must succeed before a job runs."""
    direct = jobs[name].get("needs", [])
    direct = [direct] if isinstance(direct, str) else direct
    return set(direct).union(*(needed(jobs, other) for other in direct))


def main():
    release = YAML(typ="safe").load(FOLDER / "release.yml")
    jobs = release["jobs"]
    wrong = []
    if release["permissions"] != {}:
        wrong.append("the workflow itself has permissions; give them to jobs")
    if not any("release.py check" in step.get("run", "") for step in jobs["check"]["steps"]):
        wrong.append("the job check no longer runs release.py check")
    for name, job in jobs.items():
        if name != "check" and "check" not in needed(jobs, name):
            wrong.append(f"the job {name} doesn't wait for the check of the tag")
        # With `always()`, a job runs even if a job that it needs has failed.
        if "always()" in str(job.get("if", "")):
            wrong.append(f"the job {name} runs even if the check fails")
        permissions = job["permissions"]
        if ("id-token" in permissions) != (name in IDENTIFIED):
            wrong.append(f"the job {name} and the list in {pathlib.Path(__file__).name} disagree about its id-token")
        if name in ("check", "build") and permissions != {"contents": "read"}:
            wrong.append(f"the job {name} runs the code of dependencies, so it may only read")
    if wrong:
        sys.exit("\n".join(wrong))
    for each in jobs["build"]["strategy"]["matrix"]["include"]:
        print(each["target"])


if __name__ == "__main__":
    main()
