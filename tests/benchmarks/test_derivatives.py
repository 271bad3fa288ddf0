"""benchmarks/derivatives.py in small: its distributions are what they say, and the command writes its page."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

REPOSITORY = Path(__file__).parents[2]
sys.path.insert(0, str(REPOSITORY / "benchmarks"))

import derivatives as bench  # noqa: E402


@pytest.mark.parametrize("distribution", [bench.circle(0.4, np.arange(1, 9), 1.3, 0.2), bench.normal(np.ones(3), 0.7)])
def test_the_score_is_the_gradient_of_the_log_density(distribution):
    x, step = distribution.sample(5, np.random.default_rng(0)), 1e-6

    def log_density(x):
        return np.log(
            np.exp(-((x[:, None] - distribution.means) ** 2).sum(-1) / (2 * distribution.sigma**2)) @ distribution.weights
        )

    for axis in range(x.shape[1]):
        e = step * np.eye(x.shape[1])[axis]
        difference = (log_density(x + e) - log_density(x - e)) / (2 * step)
        np.testing.assert_allclose(distribution.score(x)[:, axis], difference, rtol=1e-5, atol=1e-6)


def test_samples_follow_the_distribution():
    distribution = bench.circle(0.1, [1, 0, 0, 0, 3, 0, 0, 0])
    x = distribution.sample(4000, np.random.default_rng(0))
    assert np.mean(x[:, 0] > 0) == pytest.approx(0.25, abs=0.03)
    assert np.std(x[:, 1]) == pytest.approx(0.1, abs=0.005)


def test_students_agree_better_than_probes_for_shifted_gaussians():
    found = bench.agreement(bench.problems()["shifted, 10"], bench.DISCRIMINATORS["boosting, 50 trees"], 0)
    assert found["Student()"][0] > 0.9 > 0.6 > found["Smoothed()"][0]
    assert all(step > 0.8 for _, step, _ in found.values())


def test_the_command_writes_its_page(tmp_path):
    out = tmp_path / "derivatives.md"
    small = ["--seeds", "1", "--seconds", "0.05", "--games", "1", "--discriminators", "one tree", "--out", str(out)]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "benchmarks/derivatives.py", *small]
    subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, check=True, timeout=300)
    assert "one tree | ring 0.03, late" in out.read_text()
    assert len(out.with_suffix(".csv").read_text().splitlines()) == 1 + 10 * 4
