"""From a specification to the store: the same figures on every engine, and nothing is played twice."""

from __future__ import annotations

from turinglearn.study import Inline, Processes, Store, Writer, read_specification, run
from turinglearn.study.worker import execute

TEXT = """\
seeds = 3
replicas = 2
[limits]
seconds = 60
memory = 1000
[[discriminator]]
problems = "pair(family='shifted', dimension=1, kl=0.5)"
discriminators = ["logistic", "forest(n_estimators=5)"]
n = 30
training_sets = 3
points = 50
[[game]]
problems = "ring"
generators = "neural(hidden=(8,))"
discriminators = ["neural(hidden=(8,))", "sklearn.neighbors.KNeighborsClassifier(n_neighbors=0)"]
signals = "smoothed"
rounds = 3
rows = 40
draws = 50
"""


def test_every_engine_finds_what_the_worker_finds_and_resumes(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text(TEXT)
    study, kept = read_specification(path), {}
    plan = study.plan()
    for name, engine in {"inline": Inline, "processes": lambda *of: Processes(*of, 2)}.items():
        with Writer(tmp_path / f"{name}.sqlite") as store:
            store.begin(plan)
            counts = run(plan, engine(plan.function, plan.limits), store)
            assert (counts["ok"], counts["error"]) == (len(study.cells) - 3, 3)
            assert not run(plan, engine(plan.function, plan.limits), store)
        with Store(tmp_path / f"{name}.sqlite") as store:
            kept[name] = {row.identity: (row.status, row.figures, row.error) for row in store.rows()}
    assert kept["inline"] == kept["processes"]
    for cell in study.cells:
        status, figures, error = kept["inline"][cell.identity]
        if status == "ok":
            assert figures == execute(cell.payload())
        else:
            assert "n_neighbors" in error
