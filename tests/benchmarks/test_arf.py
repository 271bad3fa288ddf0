"""The benchmark of adversarial forests: its copula, its table, and the page on a tiny budget."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from tests.documents import REPOSITORY, run

pandas = pytest.importorskip("pandas", reason="needs pandas, which is not installed")


@pytest.fixture
def benchmarks(monkeypatch):
    monkeypatch.syspath_prepend(str(REPOSITORY / "benchmarks"))
    yield
    for name in ("arf", "copula", "provenance"):
        sys.modules.pop(name, None)


def test_the_copula_keeps_columns_and_correlations(benchmarks):
    from copula import GaussianCopula

    rng = np.random.default_rng(0)
    z = rng.multivariate_normal([0, 0, 0], [[1, 0.7, 0], [0.7, 1, -0.5], [0, -0.5, 1]], 4000)
    frame = pandas.DataFrame({"a": np.exp(z[:, 0]), "b": z[:, 1], "c": np.where(z[:, 2] > 1, "x", "y")})
    frame.loc[z[:, 2] < -1, "c"] = None
    copula = GaussianCopula().fit(frame, rng)
    fake = copula.sample(4000, rng)
    assert copula.correlation_[0, 1] == pytest.approx(0.7, abs=0.03)
    assert np.corrcoef(np.log(fake["a"]), fake["b"])[0, 1] == pytest.approx(0.7, abs=0.03)
    assert set(fake["a"]) <= set(frame["a"])
    assert fake["c"].value_counts(dropna=False, normalize=True).to_dict() == pytest.approx(
        frame["c"].value_counts(dropna=False, normalize=True).to_dict(), abs=0.03
    )


def test_features_are_numbers_for_every_origin(benchmarks):
    from arf import features, mixed_table

    rng = np.random.default_rng(0)
    train, test = mixed_table(200, rng), mixed_table(100, rng)
    x = features(test, train)
    assert x.shape == (100, 1 + 4 + 2 + 4 + 1 + 1)
    assert np.isfinite(x).all()
    assert 0.05 < train["income"].isna().mean() < 0.35


def test_the_integral_of_a_known_density_is_one(benchmarks):
    from arf import integral

    from turinglearn.datasets import ring

    class Known:
        score_samples = staticmethod(ring(sigma=0.1).log_density)

    assert integral(Known(), ring(sigma=0.1), 300) == pytest.approx(1, abs=1e-6)
    Known.score_samples = staticmethod(lambda x: ring(sigma=0.1).log_density(x) + np.log(2))
    assert integral(Known(), ring(sigma=0.1), 300) == pytest.approx(2, abs=1e-6)


def test_the_page_is_written(tmp_path):
    script, out = REPOSITORY / "benchmarks" / "arf.py", tmp_path / "arf.md"
    options = ["--seeds", "2", "--repeats", "1", "--rows", "100", "--sizes", "100", "--side", "20", "--share", "0.2"]
    done = run([str(script), *options, "--out", str(out)], tmp_path)
    assert done.returncode == 0, done.stderr
    text = out.read_text(encoding="utf-8")
    assert "The bar was 5 s for the fit: reached" in text
    assert text.count("\n| adversarial forest |") == 3
    assert len(pandas.read_csv(tmp_path / "arf.csv")) == 2 * 2 * 4 * 3
