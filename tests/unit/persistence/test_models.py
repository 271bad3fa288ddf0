"""Models on disk: a loaded learner samples, discriminates and plays on as the saved one, and code is never written."""

from __future__ import annotations

import io
import json
import pickle
import sys
import warnings
import zipfile
from itertools import islice
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity, KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from turinglearn import Game, TuringLearner
from turinglearn.discriminators import (
    ClassifierDiscriminator,
    HandwrittenDiscriminator,
    KernelDensityDiscriminator,
    KernelSVMDiscriminator,
    KLIEPDiscriminator,
    NeighboursDiscriminator,
    NeuralDiscriminator,
    TorchDiscriminator,
    ULSIFDiscriminator,
)
from turinglearn.game.replay import Replay
from turinglearn.generators import (
    EvolvedGenerator,
    GradientMove,
    MixtureGenerator,
    NeuralGenerator,
    RefittedGenerator,
    ScoreFunction,
    TorchGenerator,
)
from turinglearn.nn import GELU, R1, BatchNorm, GradientPenalty, LinearDecay, Maxout, SpectralNorm
from turinglearn.persistence import CorruptModelError, ModelNotFoundError, NotSerializableError, load, models, save
from turinglearn.protocols import Gradients, Samples

skops_io = pytest.importorskip("skops.io", reason="needs skops, which is not installed")
pytest.importorskip("safetensors", reason="needs safetensors, which is not installed")

X = np.random.default_rng(0).normal([1, -2], [1, 3], (120, 2))
CONDITION = np.random.default_rng(1).integers(0, 3, (120, 1)).astype(float)


def module(*widths, seed=0):
    torch = pytest.importorskip("torch", reason="needs torch, which is not installed")
    torch.manual_seed(seed)
    into, hidden, out = widths
    return torch.nn.Sequential(torch.nn.Linear(into, hidden), torch.nn.ReLU(), torch.nn.Linear(hidden, out))


def simulate(parameters, n, rng):
    return parameters + rng.standard_normal((n, 2))


def evolved():
    pytest.importorskip("cmaes", reason="needs cmaes, which is not installed")
    return EvolvedGenerator(simulate, [(-3, 3)] * 2, explore=10)


def near_zero(x):
    return -(np.asarray(x, dtype=float) ** 2).sum(axis=1)


def on_torch(kind, **options):
    pytest.importorskip("torch", reason="needs torch, which is not installed")
    return kind(backend="torch", **options)


GENERATORS = {
    "neural": lambda: NeuralGenerator(3, (8,), ema_decay=0.9, learning_rate=LinearDecay(0.01, 40)),
    "neural on torch": lambda: on_torch(NeuralGenerator, latent_dim=3, hidden=(8,)),
    "batch normed": lambda: NeuralGenerator(3, (8,), normalization=BatchNorm(), activation=Maxout(2), ema_decay=0.9),
    "batch normed on torch": lambda: on_torch(NeuralGenerator, latent_dim=3, hidden=(8,), normalization=BatchNorm()),
    "torch": lambda: TorchGenerator(module(3, 8, 2), 3),
    "mixture": lambda: MixtureGenerator(2),
    "mixture by scores": lambda: MixtureGenerator(2, rule=ScoreFunction()),
    "evolved": evolved,
    "gaussian mixture": lambda: RefittedGenerator(GaussianMixture(2)),
    "kernel density": lambda: RefittedGenerator(KernelDensity(bandwidth=0.2), rule=GradientMove()),
}
DISCRIMINATORS = {
    "neural": lambda: NeuralDiscriminator((8,)),
    "neural on torch": lambda: on_torch(NeuralDiscriminator, hidden=(8,)),
    "torch": lambda: TorchDiscriminator(module(2, 8, 1, seed=1)),
    "penalised": lambda: NeuralDiscriminator(
        (8, 8), activation=GELU(), normalization=SpectralNorm(), dropout=0.1, penalties=(R1(0.1), GradientPenalty())
    ),
    "batch normed": lambda: NeuralDiscriminator((8, 8), normalization=BatchNorm()),
    "forest": lambda: ClassifierDiscriminator(RandomForestClassifier(4)),
    "boosting": lambda: ClassifierDiscriminator(HistGradientBoostingClassifier(max_iter=4)),
    "support vectors": lambda: SVC(),
    "neighbours": lambda: ClassifierDiscriminator(KNeighborsClassifier(5, metric="manhattan")),
    "networks": lambda: make_pipeline(StandardScaler(), MLPClassifier((8,), max_iter=9, early_stopping=True)),
    "gaussian process": lambda: GaussianProcessClassifier(),
    "kernel machine": lambda: KernelSVMDiscriminator(),
    "densities": lambda: KernelDensityDiscriminator("loo"),
    "soft neighbours": lambda: NeighboursDiscriminator(),
    "least squares": lambda: ULSIFDiscriminator(),
    "likelihood": lambda: KLIEPDiscriminator(),
    "handwritten": lambda: HandwrittenDiscriminator(near_zero, fit_intercept=True),
}
LACKING = {"generator": ("torch", "evolved"), "discriminator": ("torch", "handwritten")}  # a module or a function of the user's
PAIRS = [
    ("batch normed", "penalised", {"keep": "best"}),
    ("batch normed on torch", "batch normed", {"keep": "last"}),
    ("neural", "neural", {"keep": "best"}),
    ("neural", "forest", {"keep": "average", "replay": Replay(50)}),
    ("neural on torch", "neural on torch", {"keep": "average"}),
    ("neural on torch", "networks", {"keep": "last"}),
    ("torch", "torch", {"keep": "best"}),
    ("torch", "handwritten", {"keep": "average"}),
    ("mixture", "neighbours", {"keep": "average"}),
    ("mixture", "torch", {"keep": "last"}),
    ("mixture by scores", "boosting", {"keep": "last"}),
    ("evolved", "kernel machine", {"keep": "best"}),
    ("evolved", "handwritten", {"keep": "last", "replay": Replay(50)}),
    ("gaussian mixture", "support vectors", {"keep": "best"}),
    ("gaussian mixture", "neural", {"keep": "average"}),
    ("kernel density", "gaussian process", {"keep": "average"}),
    ("kernel density", "neural", {"keep": "last", "pack": 2, "batch_size": 20}),
    ("neural", "kernel machine", {"keep": "best", "pack": 2, "batch_size": 20, "replay": Replay(30, 0.25)}),
    ("neural", "densities", {"keep": "last"}),
    ("neural", "soft neighbours", {"keep": "last"}),
    ("neural", "least squares", {"keep": "last"}),
    ("neural", "likelihood", {"keep": "last"}),
    ("neural", "neural", {"keep": "best", "condition": CONDITION}),
    ("neural", "forest", {"keep": "last", "condition": CONDITION, "replay": Replay(30)}),
]


@pytest.fixture(autouse=True)
def _few_rows_do_not_converge():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="sklearn")
        yield


def learners(generator, discriminator, **options):
    """A learner that was never interrupted, its rounds, and players made again."""
    return TuringLearner(GENERATORS[generator](), DISCRIMINATORS[discriminator](), random_state=7, **{"rounds": 8, **options})


def missing(generator, discriminator):
    made = {"generator": (GENERATORS, generator), "discriminator": (DISCRIMINATORS, discriminator)}
    return {role: makers[name]() for role, (makers, name) in made.items() if name in LACKING[role]}


def assert_same(one, other, condition=None):
    """Check that two learners have equal outputs to the last bit."""
    assert one.game_.index == other.game_.index
    assert repr(one.history_) == repr(other.history_)
    conditions = None if condition is None else condition[:9]
    np.testing.assert_array_equal(one.sample(9, conditions), other.sample(9, conditions))
    np.testing.assert_array_equal(one.decision_function(X, condition), other.decision_function(X, condition))
    assert one.score(X, condition=condition) == other.score(X, condition=condition)


@pytest.mark.parametrize(("generator", "discriminator", "options"), PAIRS, ids=[f"{g}, {d}" for g, d, _ in PAIRS])
def test_a_loaded_learner_plays_on_as_the_saved_one(generator, discriminator, options, tmp_path):
    condition = options.get("condition")
    options = {name: value for name, value in options.items() if name != "condition"}
    whole = learners(generator, discriminator, **options)
    rounds = whole.play(X, condition=condition)
    list(islice(rounds, 4))
    save(whole, tmp_path / "model")
    parted = load(tmp_path / "model", **missing(generator, discriminator))
    assert_same(whole, parted, condition)
    list(rounds)
    for _ in parted.play(X, condition=condition, resume=True):
        pass
    assert whole.game_.index == 8
    assert_same(whole, parted, condition)


@pytest.mark.parametrize("library", ["xgboost", "lightgbm"])
def test_boosters_in_their_own_formats(library, tmp_path):
    boosters = pytest.importorskip(library, reason=f"needs {library}, which is not installed")
    name, options = {"xgboost": ("XGBClassifier", {}), "lightgbm": ("LGBMClassifier", {"verbose": -1})}[library]
    discriminator = getattr(boosters, name)(n_estimators=4, n_jobs=1, **options)
    whole = TuringLearner(NeuralGenerator(3, (8,)), discriminator, rounds=6, random_state=0, keep="last")
    rounds = whole.play(X)
    list(islice(rounds, 3))
    save(whole, tmp_path)
    parted = load(tmp_path)
    assert_same(whole, parted)
    list(rounds)
    for _ in parted.play(X, resume=True):
        pass
    assert np.ptp(whole.decision_function(X)) > 0
    assert_same(whole, parted)


def test_a_data_frame_with_columns_of_every_type(tmp_path):
    pd = pytest.importorskip("pandas", reason="needs pandas, which is not installed")
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"real": rng.normal(size=90), "whole": rng.integers(0, 9, 90), "yes": rng.random(90) < 0.5})
    frame["text"] = rng.choice(["ä", "b", "c"], 90)
    frame["grade"] = pd.Categorical(rng.choice(["low", "high"], 90), ["low", "middle", "high"], ordered=True)
    frame["day"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 99, 90), unit="D")
    frame["moment"] = pd.Timestamp("2024-01-01", tz="UTC") + pd.to_timedelta(rng.normal(size=90), unit="h")
    frame["lacks"] = np.where(rng.random(90) < 0.3, np.nan, rng.normal(size=90))
    frame["count"] = pd.array(np.where(rng.random(90) < 0.3, None, rng.integers(0, 5, 90)), dtype="Int64")
    frame["small"] = rng.normal(size=90).astype(np.float32)
    whole = TuringLearner(rounds=8, random_state=0)
    rounds = whole.play(frame)
    list(islice(rounds, 4))
    save(whole, tmp_path)
    parted = load(tmp_path)
    for _ in parted.play(frame, resume=True):
        pass
    list(rounds)
    assert list(parted.feature_names_in_) == list(frame)
    drawn = parted.sample(50)
    pd.testing.assert_frame_equal(whole.sample(50), drawn)
    assert drawn.dtypes.equals(frame.dtypes)


def test_parameters_and_single_precision_come_back(tmp_path):
    options = {"rounds": 3, "validation": 0.2, "batch_size": 16, "random_state": np.int64(3)}
    learner = TuringLearner(NeuralGenerator(2, (4,)), NeuralDiscriminator((4,)), **options).fit(X.astype(np.float32))
    save(learner, tmp_path)
    loaded = load(tmp_path)
    assert repr(loaded) == repr(learner)
    assert loaded.sample(3).dtype == np.float32


def test_a_loaded_learner_starts_again_on_other_data(tmp_path):
    save(learners("mixture", "neighbours").fit(X), tmp_path)
    again, fresh = load(tmp_path).fit(X + 1), learners("mixture", "neighbours").fit(X + 1)
    np.testing.assert_array_equal(again.sample(5), fresh.sample(5))
    with pytest.raises(ValueError, match="not the data"):
        next(load(tmp_path).play(X + 1, resume=True))


def test_the_learner_that_is_saved_stays_as_it_was(tmp_path):
    saved, other = (learners("neural", "forest").fit(X) for _ in range(2))
    save(saved, tmp_path)
    assert_same(saved, other)


# ----------------------------------------------------------------------------------------------------------- no code saved
def own_function(x):
    return x


class OwnReplay(Replay):
    """A user's class."""


class OwnRule:
    """A user's class without the scikit-learn API."""

    feedback_type = Gradients

    def improve(self, x, gradient, spread, u):
        return x, np.arange(len(x)), None


class OwnShift:
    """A user's generator: noise around a mean, which follows the gradients."""

    feedback_type = Gradients

    def start(self, example, rng):
        self.mean_ = np.zeros(2)

    def propose(self, n, rng, condition=None):
        return Samples(self.mean_ + rng.standard_normal((n, 2)))

    def update(self, samples, feedback):
        self.mean_ = self.mean_ - 0.1 * feedback.values.mean(axis=0)


class OwnEstimator(OwnShift, BaseEstimator):
    """The same with the scikit-learn API."""


@pytest.mark.parametrize(
    ("learner", "message"),
    [
        (lambda: TuringLearner(objective=own_function), "objective is a function, 'own_function'"),
        (lambda: TuringLearner(replay=OwnReplay()), "replay is a .*OwnReplay"),
        (lambda: TuringLearner(random_state=np.random.RandomState(0)), "random_state is a numpy.*RandomState"),
        (
            lambda: TuringLearner(discriminator=make_pipeline(FunctionTransformer(lambda x: x), LogisticRegression())),
            "sklearn.pipeline.Pipeline, which skops cannot write without code: .*lambda",
        ),
        (
            lambda: TuringLearner(discriminator=make_pipeline(FunctionTransformer(own_function), LogisticRegression())),
            "Pipeline, which skops cannot write without code: it holds .*own_function, which cannot be imported as a class",
        ),
    ],
)
def test_parts_that_need_code_are_refused_by_name(learner, message, tmp_path):
    learner = learner().set_params(rounds=2)
    if learner.objective is not None:
        learner.set_params(objective=None).fit(X).set_params(objective=own_function)
    else:
        learner.fit(X)
    with pytest.raises(NotSerializableError, match=message):
        save(learner, tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_missing_players_are_named(tmp_path):
    save(learners("torch", "handwritten").fit(X), tmp_path)
    for passed, message in (
        (
            {"generator": GENERATORS["torch"]()},
            r"without its discriminator, since discriminator\.\w+ is a function, 'near_zero'",
        ),
        (
            {"discriminator": DISCRIMINATORS["handwritten"]()},
            r"without its generator, since generator\.module is a torch module, Sequ",
        ),
    ):
        with pytest.raises(ValueError, match=message + r".* Pass it: load\(path, ") as raised:
            load(tmp_path, **passed)
        assert not isinstance(raised.value, CorruptModelError)
    for other in (TorchGenerator(module(3, 9, 2), 3), MixtureGenerator(2), 5):
        with pytest.raises(CorruptModelError, match="does not fit the players"):
            load(tmp_path, generator=other, discriminator=DISCRIMINATORS["handwritten"]())


def test_users_estimator_classes_are_built_only_if_trusted(tmp_path, monkeypatch):
    own = type("Own", (LogisticRegression,), {"__module__": "own"})
    monkeypatch.setitem(sys.modules, "own", SimpleNamespace(Own=own))
    learner = TuringLearner(NeuralGenerator(2, (4,)), own(), rounds=2, random_state=0).fit(X)
    save(learner, tmp_path)
    with pytest.raises(CorruptModelError, match=r"not known to be safe: own\.Own\..*load\(path, trusted=\['own\.Own'\]\)"):
        load(tmp_path)
    assert_same(load(tmp_path, trusted=["own.Own"]), learner)


@pytest.mark.parametrize("kind", [OwnShift, OwnEstimator])
def test_a_player_of_the_users_own_class_is_passed_again(kind, tmp_path):
    """Nothing needs to be trusted then."""

    def learner():
        return TuringLearner(kind(), DISCRIMINATORS["neural"](), rounds=6, random_state=0, keep="last")

    whole = learner()
    rounds = whole.play(X)
    list(islice(rounds, 3))
    save(whole, tmp_path)
    with pytest.raises(ValueError, match=r"generator is a .*OwnShift.* Pass it|not known to be safe: .*OwnEstimator"):
        load(tmp_path)
    parted = load(tmp_path, generator=kind())
    for _ in parted.play(X, resume=True):
        pass
    list(rounds)
    assert_same(whole, parted)


def test_no_part_of_a_missing_player_is_written(tmp_path):
    """Its estimator, which is encoded before its function, stays out of the folder."""

    def player():
        return RefittedGenerator(GaussianMixture(2), rule=OwnRule())

    learner = TuringLearner(player(), DISCRIMINATORS["neural"](), rounds=2, random_state=0, keep="last").fit(X)
    learner.generator.model.set_params(tol=0.0123456)
    save(learner, tmp_path)
    assert not [file for file in tmp_path.iterdir() if b"0.0123456" in file.read_bytes()]
    assert_same(load(tmp_path, generator=player()), learner)


def test_functions_of_numpy_may_be_saved(tmp_path):
    discriminator = make_pipeline(FunctionTransformer(np.tanh), DecisionTreeClassifier(max_depth=2))
    learner = TuringLearner(NeuralGenerator(2, (4,)), discriminator, rounds=2, random_state=0).fit(X)
    save(learner, tmp_path)
    assert_same(load(tmp_path), learner)


class Bomb:
    def __reduce__(self):
        return exec, ("raise SystemExit('code of the file was run')",)


def test_no_file_of_a_model_is_a_pickle(tmp_path):
    save(learners("gaussian mixture", "forest").fit(X), tmp_path)
    names = sorted(file.name.partition("-")[0] for file in tmp_path.iterdir())
    assert names == ["arrays", *["estimator"] * (len(names) - 2), "manifest.json"]
    for file in tmp_path.glob("*.skops"):
        with zipfile.ZipFile(file) as archive:
            assert {name.partition(".")[2] for name in archive.namelist()} <= {"npy", "json"}
    json.loads((tmp_path / "manifest.json").read_text().rpartition("}")[0] + "}")


def with_schema(content, change):
    """The bytes of an estimator with its schema and arrays replaced by `change`."""
    new = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(new, "w") as archive:
        for name in old.namelist():
            archive.writestr(name, change(name, old.read(name)))
    return new.getvalue()


def system(name, part):
    """os.system in the place of the estimator's class."""
    return part.replace(b'"LogisticRegression"', b'"system"').replace(b'"sklearn.linear_model._logistic"', b'"os"')


def bomb(name, part):
    """Pickles in the place of arrays."""
    return pickle.dumps(Bomb()) if name.endswith(".npy") else part


def function(name, part):
    """A harmless function of a module, all of whose classes are trusted."""
    return part.replace(b'"LogisticRegression"', b'"clone"').replace(
        b'"sklearn.linear_model._logistic"', b'"sklearn.gaussian_process.kernels"'
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (system, r"not known to be safe: .*os\.system"),
        (function, r"not known to be safe: .*kernels\.clone"),
        (bomb, "contains pickled"),
        (lambda name, part: part[:-9], "cannot be read"),
        (lambda name, part: b"[" * 100_000 if name == "schema.json" else part, "RecursionError"),
        (lambda name, part: b"5" if name == "schema.json" else part, "cannot be read"),
        (lambda name, part: b"{}" if name == "schema.json" else part, "cannot be read"),
        (lambda name, part: part.replace(b"ObjectNode", b"NoSuchNode"), "NoSuchNode"),
    ],
)
def test_code_in_a_crafted_estimator_is_not_run(change, message, tmp_path, monkeypatch):
    dumps = skops_io.dumps
    learner = TuringLearner(NeuralGenerator(2, (4,)), LogisticRegression(), rounds=2, random_state=0).fit(X)
    with monkeypatch.context() as patch:
        patch.setattr(models, "estimator_bytes", lambda key, estimator: with_schema(dumps(estimator), change))
        save(learner, tmp_path)
    with pytest.raises(CorruptModelError, match=message):
        load(tmp_path)


def test_an_estimator_that_would_grow_is_not_unpacked(tmp_path, monkeypatch):
    dumps = skops_io.dumps
    monkeypatch.setattr(skops_io, "dumps", lambda estimator: dumps(estimator, compression=zipfile.ZIP_DEFLATED))
    save(TuringLearner(NeuralGenerator(2, (4,)), LogisticRegression(), rounds=2, random_state=0).fit(X), tmp_path)
    with pytest.raises(CorruptModelError, match="would grow when unpacked"):
        load(tmp_path)


def test_only_fitted_learners_are_saved(tmp_path):
    from sklearn.exceptions import NotFittedError

    with pytest.raises(NotFittedError):
        save(TuringLearner(), tmp_path / "model")
    with pytest.raises(ModelNotFoundError, match="does not exist"):
        load(tmp_path / "model")


def test_a_game_is_refused_with_the_remedy(tmp_path):
    with pytest.raises(TypeError, match=r"was passed a Game. Save a Game by its own state\(\) and restore\(state\)"):
        save(Game(MixtureGenerator(1), NeuralDiscriminator()), tmp_path / "model")


def test_a_learner_with_more_rounds_set_is_saved_before_it_plays_them(tmp_path):
    learner = TuringLearner(rounds=4, random_state=0).fit(X)
    learner.rounds = 6
    save(learner, tmp_path)
    parted = load(tmp_path)
    for each in (learner, parted):
        assert len(list(each.play(X, resume=True))) == 2
    assert_same(learner, parted)


def test_a_learning_rate_that_is_a_function_is_passed_again(tmp_path):
    def maker():
        return NeuralGenerator(2, (4,), learning_rate=lambda step: 0.1)

    fitted = TuringLearner(maker(), rounds=4, random_state=0).fit(X)
    save(fitted, tmp_path / "model")
    with pytest.raises(ValueError, match=r"without its generator.*learning_rate is a function, .*lambda"):
        load(tmp_path / "model")
    again = load(tmp_path / "model", generator=maker())
    np.testing.assert_array_equal(again.sample(5, random_state=0), fitted.sample(5, random_state=0))
