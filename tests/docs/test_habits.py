"""The files around the package agree with each other: bounds and pins, Pythons, sessions, hooks, targets, templates."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

yaml = pytest.importorskip("yaml", reason="needs PyYAML, which is not installed")

REPOSITORY = Path(__file__).parents[2]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
RUNTIME = ("dask", "evolve", "files", "measures", "plot", "torch", "zoo")  # but CuPy, which needs a GPU
TEST_TOOLS = ("array-api-strict", "hypothesis", "pytest", "pytest-xdist")
WORKFLOW = REPOSITORY / ".github" / "workflows" / "tests.yml"


def text(name):
    return (REPOSITORY / name).read_text(encoding="utf-8")


def read_yaml(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def pins(name):
    """The names and versions of a file of constraints, without comments."""
    lines = (line.partition("#")[0].strip() for line in text(name).splitlines())
    split = (line.split("==") for line in lines if line)
    return {re.sub(r"[-_.]+", "-", package).lower(): Version(version) for package, version in split}


def lower_bounds(requirements):
    """The lower bound of each requirement that has one."""
    for line in requirements:
        requirement = Requirement(line)
        for specifier in requirement.specifier:
            if specifier.operator == ">=":
                yield requirement.name.lower(), Version(specifier.version)


def noxfile(name):
    """A constant of noxfile.py, which is not imported since nox may not be installed."""
    for node in ast.parse(text("noxfile.py")).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == name:
            return ast.literal_eval(node.value)
    raise AssertionError(f"noxfile.py has no {name}")


def sessions():
    """The names of the sessions of noxfile.py."""
    functions = [node for node in ast.parse(text("noxfile.py")).body if isinstance(node, ast.FunctionDef)]
    return {node.name for node in functions if any("nox.session" in ast.unparse(each) for each in node.decorator_list)}


def pythons():
    """The minor versions of Python that the classifiers name."""
    found = (re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", each) for each in PROJECT["classifiers"])
    return [match[1] for match in found if match]


# ---------------------------------------------------------------------------------------------------------- dependencies
def test_the_lowest_constraints_are_the_lower_bounds():
    requirements = PROJECT["dependencies"] + [line for extra in RUNTIME for line in EXTRAS[extra]]
    requirements += [line for line in EXTRAS["dev"] if Requirement(line).name in TEST_TOOLS]
    expected = dict(lower_bounds(requirements))
    lowest = pins("constraints-lowest.txt")
    assert {name: lowest.get(name) for name in expected} == expected


def test_the_lowest_constraints_pin_nothing_else_but_dependencies_that_must_be_old():
    bounded = {Requirement(line).name.lower() for extra in EXTRAS.values() for line in [*extra, *PROJECT["dependencies"]]}
    _, _, others = text("constraints-lowest.txt").partition("# Their own dependencies")
    unknown = set(pins("constraints-lowest.txt")) - bounded
    assert unknown == {line.partition("==")[0] for line in others.splitlines() if "==" in line}
    assert all(" # " in line for line in others.splitlines() if "==" in line), "say which package needs the old version"


def test_the_usual_constraints_are_within_the_bounds():
    used = pins("constraints.txt")
    requirements = [*PROJECT["dependencies"], *(line for extra in EXTRAS.values() for line in extra)]
    for name, bound in lower_bounds(requirements):
        if name not in ("cupy-cuda12x", "xgboost"):  # for machines with a GPU, and for other systems
            assert used[name] >= bound, name


@pytest.mark.parametrize("name", ["constraints.txt", "constraints-lowest.txt"])
def test_constraints_name_versions_and_no_builds(name):
    assert not [package for package, version in pins(name).items() if version.local]


def test_nox_installs_what_is_pinned_lowest():
    assert set(noxfile("EXTRAS")) == set(RUNTIME) - {"torch"}
    assert set(noxfile("TEST_TOOLS")) == set(TEST_TOOLS)


@pytest.mark.parametrize("name", [*noxfile("CORE"), *noxfile("OPTIONAL")])
def test_nox_finds_its_fast_tests(name):
    assert len(list((REPOSITORY / "tests").rglob(f"test_{name}.py"))) == 1


# ---------------------------------------------------------------------------------------------------------------- GitHub
def test_the_workflow_tests_the_pythons_of_the_classifiers_on_three_systems():
    matrix = read_yaml(WORKFLOW)["jobs"]["tests"]["strategy"]["matrix"]
    assert matrix["python"] == pythons()
    assert matrix["os"] == ["ubuntu-latest", "macos-latest", "windows-latest"]
    assert {each["os"] for each in matrix["include"]} == set(matrix["os"])
    assert PROJECT["requires-python"] == f">={pythons()[0]}"


def test_the_workflow_uses_sessions_and_targets_that_exist():
    jobs = read_yaml(WORKFLOW)["jobs"]
    commands = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
    asked = set(jobs["dependencies"]["strategy"]["matrix"]["session"])
    asked |= {match[1] for command in commands for match in re.finditer(r'-s "?([a-z]+)', command)}
    assert asked == sessions()
    made = {target for command in commands if command.startswith("make ") for target in command.split()[1:]}
    assert made <= set(targets())
    assert "coverage" in made


def test_the_workflow_may_only_read_and_runs_in_bounded_time():
    workflow = read_yaml(WORKFLOW)
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["concurrency"]
    for name, job in workflow["jobs"].items():
        assert "permissions" not in job, name
        assert job["timeout-minutes"] <= 120, name
        for step in job["steps"]:
            assert "uses" not in step or re.fullmatch(r"actions/[a-z-]+@v\d+", step["uses"]), step
            if step.get("uses", "").startswith("actions/checkout"):
                assert step["with"] == {"persist-credentials": False}


def test_dependabot_leaves_the_lower_bounds_alone():
    updates = {
        update["package-ecosystem"]: update for update in read_yaml(REPOSITORY / ".github" / "dependabot.yml")["updates"]
    }
    assert set(updates) == {"pip", "github-actions"}
    assert updates["pip"]["exclude-paths"] == ["constraints-lowest.txt"]


@pytest.mark.parametrize("name", ["bug_report", "feature_request"])
def test_issue_forms_are_whole(name):
    form = read_yaml(REPOSITORY / ".github" / "ISSUE_TEMPLATE" / f"{name}.yml")
    assert form["name"]
    assert form["description"]
    fields = [part for part in form["body"] if part["type"] != "markdown"]
    assert len({part["id"] for part in fields}) == len(fields) > 0
    assert all(part["attributes"]["label"] for part in fields)
    assert any(part.get("validations", {}).get("required") for part in fields)


# ----------------------------------------------------------------------------------------------------- hooks and targets
def test_hooks_have_the_versions_of_the_constraints():
    (repository,) = read_yaml(REPOSITORY / ".pre-commit-config.yaml")["repos"]
    used, seen = pins("constraints.txt"), set()
    for hook in repository["hooks"]:
        for line in hook.get("additional_dependencies", []):
            name, _, version = line.partition("==")
            assert version, f"{hook['id']} names no version of {name}"
            assert used.get(name, Version(version)) == Version(version)
            seen.add(name)
    assert seen == {"ruff", "pre-commit-hooks"}


def targets():
    """The targets of the Makefile that are no files."""
    (line,) = re.findall(r"^\.PHONY: (.*)$", text("Makefile"), flags=re.M)
    return line.split()


def test_the_makefile_lists_every_target():
    makefile = text("Makefile")
    defined = set(re.findall(r"^([a-z][a-z-]*):(?!=)", makefile, flags=re.M))
    assert defined == set(targets())
    _, _, rest = makefile.partition("\nhelp:\n")
    described = set(re.findall(r"make ([a-z-]+) ", rest.partition("\n\n")[0]))
    assert described == defined - {"help"}
    assert set(makefile.partition(".")[0].removeprefix("# make ").split(" | ")) == defined - {"help"}


def test_the_version_is_cited():
    assert f"\nversion: {PROJECT['version']}\n" in text("CITATION.cff")


def test_contributing_explains_every_session_and_the_coverage_that_is_asked_for():
    page = text("CONTRIBUTING.md")
    for name in sessions():
        assert re.search(rf"^nox -s {name}\b", page, flags=re.M), name
    least = tomllib.loads(text("pyproject.toml"))["tool"]["coverage"]["report"]["fail_under"]
    assert f"below {least} %" in page
