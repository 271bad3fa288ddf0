"""Products of matrices in lower precision: how far they stray, what stays in float32, and where they are refused."""

from __future__ import annotations

import copy
import pickle
from itertools import islice

import numpy as np
import pytest

from turinglearn import Game, arrays
from turinglearn.discriminators import NeuralDiscriminator
from turinglearn.generators import NeuralGenerator
from turinglearn.nn import Network
from turinglearn.nn.matmul import matmul
from turinglearn.protocols import Batch

torch = pytest.importorskip("torch", reason="needs torch, which is not installed")

UNIT = 2.0**-8  # what rounding to bfloat16 changes at most, relatively
X = np.random.default_rng(0).normal([1, -1], [1, 2], (400, 2))
LOW = {"backend": "torch", "matmul_precision": "bfloat16"}


def factors():
    rng = np.random.default_rng(0)
    return [torch.tensor(rng.standard_normal(shape), dtype=torch.float32) for shape in ((60, 300), (300, 50))]


def test_bfloat16_rounds_the_factors_and_nothing_else():
    a, b = factors()
    product = matmul(a, b, "bfloat16")
    assert product.dtype == torch.float32
    rounded = a.bfloat16().double() @ b.bfloat16().double()
    torch.testing.assert_close(product.double(), rounded, rtol=0, atol=1e-4)  # sums of 300 in float32
    strayed = (product.double() - a.double() @ b.double()).abs()
    assert bool((strayed <= (2 * UNIT + UNIT**2) * (a.double().abs() @ b.double().abs()) + 1e-4).all())
    assert float(strayed.max()) > 0.01  # so that the bounds above mean something: full products stray by 1e-5


def test_full_is_the_librarys_own(arrays_on):
    a, b = (arrays_on.asarray(f.numpy()) for f in factors())
    np.testing.assert_array_equal(arrays_on.to_numpy(matmul(a, b)), arrays_on.to_numpy(arrays_on.xp.matmul(a, b)))


def test_gradients_stray_by_bfloat16s_rounding():
    """Through three layers six products lie in a row, each of two rounded factors."""

    def network(precision, rng):
        return Network((3, 64, 64, 2), rng, arrays.library("torch"), None, torch.float32, matmul_precision=precision)

    rng = np.random.default_rng(0)
    networks = {"full": network("full", rng), "bfloat16": network("bfloat16", np.random.default_rng(0))}
    x, slopes = torch.tensor(rng.standard_normal((256, 3))).float(), torch.tensor(rng.standard_normal((256, 2))).float()
    gradients, inputs = {}, {}
    for precision, made in networks.items():
        _, tape = made.forward(x)
        inputs[precision] = made.backward_inputs(tape, slopes)
        made.backward(tape, slopes)
        gradients[precision] = made.gradient
    for found in (gradients, inputs):
        error = float((found["bfloat16"] - found["full"]).norm() / found["full"].norm())
        assert UNIT / 4 < error < 6 * 2 * UNIT


def test_every_product_of_a_network_is_rounded():
    rng = np.random.default_rng(0)
    network = Network((300, 50), rng, arrays.library("torch"), None, torch.float32, matmul_precision="bfloat16")
    (x, weights), slopes = factors(), torch.tensor(rng.standard_normal((60, 50))).float()
    network.parameters[: 300 * 50] = weights.reshape(-1)
    y, tape = network.forward(x)
    network.backward(tape, slopes)
    assert torch.equal(y, matmul(x, weights, "bfloat16"))  # the biases are 0
    assert torch.equal(network.gradient[: 300 * 50].reshape(300, 50), matmul(x.T, slopes, "bfloat16"))
    assert torch.equal(network.backward_inputs(tape, slopes), matmul(slopes, weights.T, "bfloat16"))
    torch.testing.assert_close(network.gradient[300 * 50 :], slopes.sum(dim=0))  # a sum, and no product of anything


def test_parameters_and_moments_stay_in_float32():
    game = Game(NeuralGenerator(3, (16,), **LOW), NeuralDiscriminator((16,), **LOW), batch_size=50, random_state=0)
    records = list(islice(game.rounds(X), 20))
    assert np.isfinite(records[-1].figures()["discriminator_loss"])
    for player in (game.generator, game.discriminator):
        held = (player.network_.parameters, player.network_.gradient, *player.optimizer_.buffers)
        assert {part.dtype for part in held} == {torch.float32}
    assert game.sample(3).dtype == X.dtype


def test_copies_multiply_alike():
    game = Game(NeuralGenerator(3, (8,), **LOW), NeuralDiscriminator((8,), **LOW), batch_size=50, random_state=0)
    next(game.rounds(X))
    expected = None
    for copied in (copy.deepcopy(game), pickle.loads(pickle.dumps(game)), game):
        next(copied.rounds(X))
        parameters = copied.generator.network_.parameters
        expected = parameters if expected is None else expected
        assert torch.equal(parameters, expected)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"matmul_precision": "half"}, r"expected matmul_precision to be one of 'full', 'tf32', 'bfloat16'"),
        (
            {"matmul_precision": "tf32"},
            r"numpy multiplies in full precision only\. Choose backend='torch' with device='cuda', or leave",
        ),
        ({"matmul_precision": "bfloat16"}, r"numpy multiplies in full precision only"),
        (
            {"matmul_precision": "bfloat16", "backend": "array_api_strict"},
            r"array_api_strict multiplies in full precision only",
        ),
        (
            {"matmul_precision": "tf32", "backend": "torch"},
            r"tf32 is a format of CUDA devices.*lives on cpu\. Choose device='cuda'",
        ),
        (
            {"matmul_precision": "bfloat16", "backend": "torch", "dtype": "float64"},
            r"only products of float32.*dtype='float32', or",
        ),
    ],
)
@pytest.mark.parametrize("player", [NeuralGenerator, NeuralDiscriminator])
def test_what_cannot_be_is_refused(player, options, message):
    if options.get("backend") == "array_api_strict":
        pytest.importorskip("array_api_strict", reason="needs array-api-strict, which is not installed")
    with pytest.raises(ValueError, match=rf"^{player.__name__}\(matmul_precision=.*{message}"):
        player(**options).start(Batch(X), np.random.default_rng(0))


@pytest.mark.parametrize(
    ("precision", "environment", "message"),
    [
        ("bfloat16", "1", "CuPy has no products in bfloat16"),
        ("tf32", None, "Set CUPY_TF32=1 before Python starts"),
        ("tf32", "0", "Set CUPY_TF32=1 before Python starts"),
        ("tf32", "1", None),
    ],
)
def test_cupy_takes_tf32_from_the_environment(monkeypatch, precision, environment, message):
    """What is refused is decided before CuPy is asked for anything."""
    from turinglearn.nn.options import NetworkOptions
    from turinglearn.nn.precision import check_matmul_precision

    monkeypatch.delenv("CUPY_TF32", raising=False)
    if environment is not None:
        monkeypatch.setenv("CUPY_TF32", environment)
    options = NetworkOptions(backend="cupy", matmul_precision=precision)
    if message is None:
        check_matmul_precision(options, None)
    else:
        with pytest.raises(ValueError, match=message):
            check_matmul_precision(options, None)
