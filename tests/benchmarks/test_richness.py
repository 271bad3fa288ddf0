"""The benchmark of discriminators' richness.

Closed forms, planted estimates and claims, and the whole command on a tiny budget.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from sklearn.linear_model import LogisticRegression

from turinglearn.metrics import Interval
from turinglearn.protocols import Gradients

FOLDER = Path(__file__).parents[2] / "benchmarks" / "bias"


@pytest.fixture(scope="module")
def richness():
    spec = importlib.util.spec_from_file_location("bias_richness", FOLDER / "richness.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def arms(richness):
    return sys.modules["richness_arms"]


@pytest.fixture(scope="module")
def claims(richness):
    return sys.modules["richness_claims"]


def rows(model, n, m, seed=0):
    rng = np.random.default_rng(seed)
    return model.distribution.rvs(n, random_state=rng), model.distribution.rvs(m, random_state=rng)


def test_efficiencies_of_moments_have_closed_forms(arms):
    models = arms.MODELS
    assert arms.efficiency(models["logistic location"], "x")[0] == pytest.approx(9 / np.pi**2, rel=1e-4)
    assert arms.efficiency(models["Student location"], "x")[0] == pytest.approx(1 / 2, rel=1e-3)
    gaussian = models["Gaussian location and scale"]
    np.testing.assert_allclose(arms.efficiency(gaussian, "x, abs x"), [1, 1 / (np.pi - 2)], rtol=1e-4)
    assert np.isnan(arms.efficiency(gaussian, "x")).all()  # which tells no scale from another


def test_the_score_and_all_that_span_it_are_efficient(arms):
    for model in arms.MODELS.values():
        np.testing.assert_allclose(arms.efficiency(model, "score"), 1, rtol=1e-6)
    logistic = [arms.efficiency(arms.MODELS["logistic location"], f"splines, {k} knots")[0] for k in (5, 10, 40)]
    assert 0.99 < logistic[0] < logistic[1] < logistic[2] < 1
    np.testing.assert_allclose(arms.efficiency(arms.MODELS["Gaussian location and scale"], "x to x^3"), 1, rtol=1e-6)


def test_information_is_the_mean_square_of_the_scores(arms):
    """By integration over the distribution, with scores by central differences of the log-density."""
    for model in arms.MODELS.values():
        u, w = model.integral()
        moves = 1e-5 * np.eye(len(model.truth))
        scores = np.stack(
            [(model.log_density(u, model.truth + e) - model.log_density(u, model.truth - e)) / 2e-5 for e in moves], axis=1
        )
        np.testing.assert_allclose(model.scores(u)[abs(u) < 50], scores[abs(u) < 50], atol=1e-4)
        np.testing.assert_allclose(scores.T @ (w[:, None] * scores), np.diag(model.information), atol=1e-4)


def test_the_best_discriminator_is_scikit_learns_without_a_penalty(arms):
    model = arms.MODELS["Student location"]
    x, u = rows(model, 80, 200)
    features = arms.DISCRIMINATORS["splines, 5 knots"](model, x)
    real, fake = features(x), features(u + 0.7)
    found, _ = arms.value(real, fake)
    weights = np.repeat([1 / 80, 1 / 200], [80, 200])
    label = np.repeat([1, 0], [80, 200])
    fit = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000).fit(np.concatenate([real, fake]), label, 280 * weights)
    expected = weights @ fit.predict_log_proba(np.concatenate([real, fake]))[np.arange(280), label]
    assert found == pytest.approx(expected, abs=1e-6)
    assert found > -2 * np.log(2) + 1e-3


def test_a_discriminator_that_separates_the_rows_ends(arms):
    found, _ = arms.value(np.arange(5.0)[:, None], np.arange(5.0)[:, None] + 10)
    assert -1e-4 < found <= 0


def test_the_discriminator_x_makes_the_difference_of_means(arms):
    for name in ("logistic location", "Student location"):
        for seed in range(3):
            x, u = rows(arms.MODELS[name], 60, 150, seed)
            found = arms.adversarial(arms.MODELS[name], "x", x, u)
            assert found[0] == pytest.approx(x.mean() - u.mean(), abs=2e-3)


def test_two_moments_make_mean_and_deviation(arms):
    model = arms.MODELS["Gaussian location and scale"]
    x, u = rows(model, 100, 400)
    x = 0.3 + 1.5 * x
    width = x.std() / u.std()
    np.testing.assert_allclose(arms.adversarial(model, "score", x, u), [x.mean() - width * u.mean(), width], atol=5e-3)


def test_maximum_likelihood_is_the_global_one(arms):
    for name in ("logistic location", "Student location"):
        model = arms.MODELS[name]
        x = model.distribution.rvs((8, 6), random_state=np.random.default_rng(3))
        for mine, each in zip(arms.likeliest(model, x), x, strict=True):
            grid = np.linspace(each.min(), each.max(), 2_001)
            best = grid[model.distribution.logpdf(each - grid[:, None]).sum(axis=1).argmax()]
            fine = minimize_scalar(
                lambda at, each=each, distribution=model.distribution: -distribution.logpdf(each - at).sum(),
                (best - 0.01, best, best + 0.01),
            )
            assert mine[0] == pytest.approx(fine.x, abs=1e-5)


def test_the_oracle_and_the_score_agree_on_many_rows(arms):
    model = arms.MODELS["logistic location"]
    x, u = rows(model, 4_000, 8_000)
    score, oracle = (f[0] for f in (arms.adversarial(model, "score", x, u), arms.oracle(model, x, u)))
    error = np.sqrt(3 * (1 / 4_000 + 1 / 8_000))
    assert abs(score - oracle) < 0.3 * error
    assert abs(arms.adversarial(model, "x", x, u)[0] - x.mean() + u.mean()) < 0.1 * error


def test_the_closed_form_of_the_scale(claims):
    rng = np.random.default_rng(0)
    for n in (5, 20):
        errors = rng.standard_normal((40_000, n)).std(axis=1) - 1
        assert claims.scale_over_bound(n) == pytest.approx(np.sqrt(np.mean(errors**2) * 2 * n), rel=0.02)
    assert claims.scale_over_bound(100_000) == pytest.approx(1, abs=1e-3)


def test_a_simulator_goes_down_the_gradient(arms):
    network = sys.modules["richness_network"]
    model = arms.MODELS["Gaussian location and scale"]
    simulator = network.Simulator(model, [0.5, 2.0], 2, rate=0.1)
    rng = np.random.default_rng(0)
    simulator.start(None, rng)
    samples = simulator.propose(50_000, rng)
    assert samples.x.std() == pytest.approx(2, rel=0.02)
    simulator.update(samples, Gradients(samples.x))  # of the loss x²/2, whose slopes in θ are θ₁ and θ₂
    np.testing.assert_allclose(simulator.theta, [0.45, 1.8], atol=0.01)
    simulator.update(simulator.propose(10, rng), Gradients(np.zeros((10, 1))))
    np.testing.assert_allclose(simulator.parameters_, simulator.theta)


def test_verdicts(claims):
    def verdict(start, end, **condition):
        return claims.Claim("", "", Interval((start + end) / 2, start, end, 0.1), **condition).verdict

    assert verdict(0.4, 0.6, high=1.0, contains=0.5) == "true"
    assert verdict(0.4, 0.6, high=1.0, contains=0.7) == "false"  # leaves out the theory
    assert verdict(0.8, 1.1, high=1.0, contains=0.9) == "undecided"
    assert verdict(1.1, 1.3, high=1.0) == "false"
    assert verdict(0.9, 1.3, low=0.85) == "true"
    assert verdict(0.8, 1.3, low=0.85) == "undecided"


def planted(richness, claims, seed=0):
    """Errors whose efficiencies are exactly the theory's, and discriminators that are too rich."""
    rng, found = np.random.default_rng(seed), {}
    rich = {"splines, 40 knots": 0.3, "x to x^11": 0.5}
    for cell in richness.cells():
        k = len(richness.MODELS[cell.model].information)
        r2 = claims.theory(cell.model, cell.discriminator) * (rich.get(cell.discriminator, 1) if cell.n < 800 else 1)
        r2 = r2 * (0.5 if cell.discriminator == "splines, 10 knots" and cell.n < 800 else 1)
        bound = richness.MODELS[cell.model].bound / np.sqrt(cell.n)
        common = np.random.default_rng(cell.n).standard_normal((3, 3_000, k)) * bound
        noise = common[0] + (np.sqrt(1 / claims.simulation(cell) - 1) * common[1])
        own = np.sqrt(np.maximum(1 / r2 - 1, 0) / claims.simulation(cell)) * common[2]
        found[cell] = claims.Found(noise + own + 1e-3 * bound * rng.standard_normal((3_000, k)), common[0])
    return found


def test_planted_claims_are_found_true_and_false(richness, claims):
    found = planted(richness, claims)
    made = list(claims.of_richness(found, richness.RATIO, 0.999))
    assert len(made) == 25
    assert {claim.verdict for claim in made} == {"true"}, [c.sentence for c in made if c.verdict != "true"]
    cell = claims.Cell("logistic location", 800, richness.RATIO, "network")
    worse = {**found, cell: claims.Found(2 * found[cell].errors, found[cell].likeliest)}
    poor = [claim for claim in claims.of_richness(worse, richness.RATIO, 0.999) if claim.verdict != "true"]
    assert [claim.verdict for claim in poor] == ["false"]
    assert "network" in poor[0].sentence


def test_the_command_on_a_tiny_budget(richness, tmp_path, monkeypatch, capsys):
    network = sys.modules["richness_network"]
    monkeypatch.setattr(sys.modules["richness_page"], "DRAWS", 10_000)
    sizes = {"logistic location": (12, 20), "Student location": (12, 20), "Gaussian location and scale": (20,)}
    monkeypatch.setattr(richness, "PLAN", {name: (n, richness.PLAN[name][1]) for name, n in sizes.items()})
    monkeypatch.setattr(richness, "SIZES", (5, 20))
    monkeypatch.setattr(network, "ROUNDS", 4)
    out = tmp_path / "richness.md"
    monkeypatch.setattr(sys, "argv", ["richness.py", "--replications", "4", "--out", str(out)])
    assert richness.main() == 0
    page = out.read_text()
    assert "of 11 claims" in page
    assert "of 14 claims" in page
    assert "| logistic location | 20 | x | 8 |" in page
    assert "| Gaussian location and scale: scale | 20 | x, abs x | 6 |" in page
    assert "| 300 | 3,000 | 12 |" in page
    assert "| Gaussian location and scale | scale | 5 |" in page
    widths = [line.count("|") for line in page.splitlines() if line.startswith("| logistic location | ")]
    assert set(widths) == {10, 6}
    capsys.readouterr()
