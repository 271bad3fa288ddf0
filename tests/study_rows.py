"""The rows of stores that no study has filled: plausible figures from a seed, with failures, for reports to be tried on."""

from __future__ import annotations

import hashlib
import json

import numpy as np

HOSTILE = "<script>alert(1)</script>"
DISCRIMINATORS = {"neural": (0.030, 0.010), "logistic": (0.120, 0.002), "forest": (0.075, 0.025), "svm": (0.028, 0.012)}
VERSIONS = {"python": "3.11.9", "turinglearn": "0.1", "numpy": "2.4.0", "scikit-learn": "1.9.1"}
HARDWARE = {"machine": "x86_64", "system": "Linux", "processor": "a processor", "cores": 2, "memory": 8.0}
TRACEBACK = 'Traceback (most recent call last):\n  File "forest.py", line 1, in fit\nValueError: the leaves are <b>empty</b>'


def row(payload, figures=None, status="ok", error="", seconds=1.0):
    """A row as the store has it; its identity is the hash of its payload."""
    text = json.dumps(payload, sort_keys=True)
    return {
        "identity": hashlib.sha256(text.encode()).hexdigest(),
        "payload": payload,
        "status": status,
        "figures": {} if figures is None else figures,
        "error": error,
        "seconds": seconds,
        "started": "2026-01-01T00:00:00+00:00",
        "worker": "one",
        "versions": VERSIONS,
        "commit": "0123456789abcdef",
        "hardware": HARDWARE,
        "limits": {"seconds": 60.0, "memory in MiB": 1024.0},
    }


def payload(kind, problem, recipe, discriminator=None, *, generator=None, seeds=(0,), budget=None, varied=None):
    """The payload of a cell, as the specification writes it."""
    return {
        "kind": kind,
        "problem": level(problem, recipe, **(varied or {})),
        "generator": level(generator),
        "discriminator": level(discriminator),
        "signal": level("usual") if kind == "game" else None,
        "objective": level("usual") if kind == "game" else None,
        "seeds": list(seeds),
        "budget": budget or {},
        "metrics": ["energy_distance", "parameters"] if kind == "game" else [],
        "cross_examiners": {"logistic": "logistic", "forest": "forest(n_estimators=10)"} if kind == "game" else {},
        "versions": {"turinglearn": "0.1"},
    }


def level(name, recipe=None, **varied):
    """A level of a factor, as a payload has it; a name that is not a recipe stands for some class."""
    if name is None:
        return None
    text = recipe or (name if name.isidentifier() else "some.Class")
    return {"name": name, "recipe": text, "varied": varied}


def interval(name, value, error):
    """A figure with its interval, as rows have it."""
    return {name: value, f"{name}_low": value - 2 * error, f"{name}_high": value + 2 * error, f"{name}_se": error}


def discriminator_rows(
    seeds=6, discriminators=None, sizes=(200, 800), dimensions=(2, 8), continuous_factors=(0.5,), random_state=0
):
    """Discriminators on pairs: bias falls with n for some, variance for all, and both grow with the dimension."""
    rng, rows = np.random.default_rng(random_state), []
    for d in dimensions:
        for kl in continuous_factors:
            recipe = f"pair(dimension={d}, family='correlated', kl={kl})"
            for n in sizes:
                for seed in range(seeds):
                    common = rng.normal()
                    for discriminator, (bias, variance) in (discriminators or DISCRIMINATORS).items():
                        b = bias * kl * d**0.5 * (1 if discriminator == "logistic" else (200 / n) ** 0.5) * (1 + 0.05 * common)
                        v = variance * d * 200 / n
                        b, v = b + 0.006 * rng.normal(), v * np.exp(0.2 * rng.normal())
                        figures = {
                            **interval("excess_log_loss", b + v, 0.006),
                            **interval("excess_log_loss_bias", b, 0.005),
                            **interval("excess_log_loss_variance", v, 0.2 * v),
                            **interval("squared_bias", 8 * b, 0.04),
                            **interval("variance", 8 * v, v),
                            **interval("calibration_slope", 1 - v, 0.02),
                            "variance_training_sets": None,
                            "bayes_log_loss": 0.54,
                        }
                        cell = payload(
                            "discriminator",
                            "correlated",
                            recipe,
                            discriminator,
                            seeds=[seed],
                            budget={"n": n},
                            varied={"dimension": d, "kl": kl},
                        )
                        rows.append(row(cell, figures, seconds=float(rng.uniform(1, 3))))
    return rows


def game_rows(seeds=6, discriminators=None, kept=24, random_state=1):
    """A Gaussian that learns a Gaussian, from discriminators that shift it; seeds of the network are replicas of a cell."""
    rng, rows = np.random.default_rng(random_state), []
    recipe, budget = "gaussian(mean=(1.0, -1.0))", {"rounds": 500, "rows": 400}
    discriminators = discriminators or {"neural": (0.05, 0.10), "forest": (0.6, 0.15), "svm": (0.08, 0.12)}
    rows.append(row(payload("truth", "gaussian", recipe, seeds=[0]), kept_sample(rng.normal((1, -1), 1, (200, 2)))))
    for discriminator, (shift, spread) in discriminators.items():
        each = [game_figures(rng, shift + spread * rng.normal(), kept) for _ in range(seeds)]
        if discriminator == "neural":
            cell = payload("game", "gaussian", recipe, discriminator, generator="mixture", seeds=range(seeds), budget=budget)
            rows.append(row(cell, {f"{name}@{i}": v for i, figures in enumerate(each) for name, v in figures.items()}))
            continue
        for seed, figures in enumerate(each):
            cell = payload("game", "gaussian", recipe, discriminator, generator="mixture", seeds=[seed], budget=budget)
            rows.append(row(cell, figures, seconds=2.5))
    return rows


def game_figures(rng, shift, kept):
    """What a game leaves that has learned a mean by so much too large."""
    errors = rng.normal(size=2) * 0.05
    x = rng.normal((1 + shift, -1), 1, (kept, 2))
    figures = {"rounds": 500, "energy_distance": shift**2 / 2 + 0.004 * rng.normal()}
    for i, (truth, moved) in enumerate(((1.0, shift), (-1.0, 0.0))):
        figures |= {f"truth[mean {i}]": truth, f"estimate[mean {i}]": truth + moved + 0.03 * rng.normal()}
        figures |= {f"control[mean {i}]": truth + errors[i], f"bound[mean {i}]": 0.05}
    accuracy = {
        f"balanced_accuracy[{name}]": min(1.0, 0.5 + 0.4 * abs(shift) + 0.03 * rng.random()) for name in ("logistic", "forest")
    }
    return figures | accuracy | kept_sample(x)


def kept_sample(x):
    """A sample as a figure."""
    return {"x": x.round(4).tolist()}


def failing(rows, *, every=5, arm="forest"):
    """The same rows, some of one discriminator failed in one of three ways."""
    ways = (("error", TRACEBACK), ("timeout", "It was ended after its time limit of 60 s."), ("crashed", "Its worker died."))
    found, count = [], 0
    for each in rows:
        count += has_discriminator(each, arm)
        if has_discriminator(each, arm) and count % every == 0:
            status, error = ways[count // every % 3]
            each = {**each, "status": status, "figures": {}, "error": error}
        found.append(each)
    return found


def renamed(rows, old, new):
    """The same rows with another name of one discriminator."""
    return [
        {**each, "payload": {**each["payload"], "discriminator": {**each["payload"]["discriminator"], "name": new}}}
        if has_discriminator(each, old)
        else each
        for each in rows
    ]


def has_discriminator(row, name):
    """Whether the discriminator of a row has this name."""
    return (row["payload"]["discriminator"] or {}).get("name") == name


def everything():
    """A store with cells of all kinds, and failures."""
    return failing(discriminator_rows() + game_rows())
