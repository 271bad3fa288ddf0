"""Model folders: complete or refused, whatever happens to the files; a failed save leaves the old model intact."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from turinglearn import TuringLearner
from turinglearn.discriminators import NeuralDiscriminator
from turinglearn.generators import NeuralGenerator
from turinglearn.persistence import CorruptModelError, ModelNotFoundError, folder, load, save

pytest.importorskip("skops", reason="needs skops, which is not installed")
pytest.importorskip("safetensors", reason="needs safetensors, which is not installed")

X = np.random.default_rng(0).normal(size=(60, 2))


def learner(rounds=2, discriminator=None, seed=0):
    discriminator = NeuralDiscriminator((4,)) if discriminator is None else discriminator
    return TuringLearner(NeuralGenerator(2, (4,)), discriminator, rounds=rounds, random_state=seed).fit(X)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A model with arrays and estimators, which no test changes."""
    path = tmp_path_factory.mktemp("saved") / "model"
    save(learner(discriminator=RandomForestClassifier(2, max_depth=2)), path)
    return path


@pytest.fixture
def model(saved, tmp_path):
    """A copy to damage."""
    return Path(shutil.copytree(saved, tmp_path / "model"))


def files(path):
    return {file.name: file.read_bytes() for file in sorted(path.iterdir())}


def change(path, edit):
    """Edit the manifest and its checksum, as someone who knows the format could."""
    manifest = json.loads((path / "manifest.json").read_bytes().rsplit(b"\n", 2)[0])
    edit(manifest)
    seal(path, json.dumps(manifest).encode())


def seal(path, body):
    (path / "manifest.json").write_bytes(body + b"\n" + hashlib.sha256(body).hexdigest().encode() + b"\n")


def refused(path, match, kind=CorruptModelError):
    with pytest.raises(kind, match=match) as raised:
        load(path)
    assert str(path) in str(raised.value)


# ----------------------------------------------------------------------------------------------------------- damaged files
def test_damage_anywhere_is_noticed(model, saved):
    """Flips, cuts, additions and losses of bytes in any file: always refused, never another model."""
    rng, whole = np.random.default_rng(0), files(saved)
    for _ in range(300):
        name = rng.choice(list(whole))
        bad = bytearray(whole[name])
        place, way = rng.integers(len(bad)), rng.integers(5)
        if way == 0:
            del bad[place:]
        elif way == 1:
            bad += bytes(rng.integers(0, 256, rng.integers(1, 4), dtype=np.uint8))
        elif way == 2:
            del bad[place : place + 1]
        else:
            bad[place] ^= 1 << rng.integers(8)
        (model / name).write_bytes(bad)
        with pytest.raises(CorruptModelError, match="model"):
            load(model)
        (model / name).write_bytes(whole[name])
    np.testing.assert_array_equal(load(model).sample(3), load(saved).sample(3))


def test_every_bit_of_the_checksum_counts(model, saved):
    whole = files(saved)["manifest.json"]
    for bit in range(8 * (len(whole) - 70), 8 * len(whole)):
        bad = bytearray(whole)
        bad[bit // 8] ^= 1 << bit % 8
        (model / "manifest.json").write_bytes(bad)
        refused(model, "damaged: its checksum does not match")


def test_every_file_is_needed(model, saved):
    for name, content in files(saved).items():
        (model / name).unlink()
        refused(model, f"lacks its file {name}" if name != "manifest.json" else "is not a model: it has no manifest")
        (model / name).mkdir()
        refused(model, f"lacks its file {name}" if name != "manifest.json" else "is not a model: it has no manifest")
        (model / name).rmdir()
        (model / name).write_bytes(content)
    load(model)


def test_other_files_in_the_folder_do_no_harm(model):
    (model / "notes.txt").write_text("mine")
    (model / "mine.skops").write_text("mine")
    (model / "arrays-0123456789abcdef.safetensors").write_bytes(b"left by a save that was killed")
    load(model)
    save(learner(), model)
    assert {"notes.txt", "mine.skops"} <= set(os.listdir(model))
    assert "arrays-0123456789abcdef.safetensors" not in os.listdir(model)
    assert len(os.listdir(model)) == 4


# ---------------------------------------------------------------------------------------------------------- not a model
def test_other_paths_are_refused(tmp_path):
    refused(tmp_path / "nowhere", "does not exist", ModelNotFoundError)
    refused(tmp_path, "it has no manifest", ModelNotFoundError)
    (tmp_path / "file").write_text("x")
    refused(tmp_path / "file", "is a file", ModelNotFoundError)
    (tmp_path / "manifest.json").write_text('{"name": "an app"}')
    refused(tmp_path, "damaged")
    (tmp_path / "manifest.json").write_bytes(b"")
    refused(tmp_path, "damaged")
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "nowhere")
    with pytest.raises(CorruptModelError):
        load("a" * 5000)
    with pytest.raises(CorruptModelError):
        load("nul\0byte")


@pytest.mark.skipif(os.name != "posix", reason="needs symbolic links")
def test_links_inside_are_refused_and_the_folder_itself_may_be_one(model, tmp_path):
    outside = tmp_path / "outside"
    (tmp_path / "link").symlink_to(model)
    load(tmp_path / "link")
    save(learner(), tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    for file in sorted(model.iterdir()):
        file.rename(outside)
        file.symlink_to(outside)
        refused(model, "no manifest" if file.name == "manifest.json" else "is a link")
        file.unlink()
        outside.rename(file)
    load(model)


@pytest.mark.skipif(os.name != "posix", reason="needs symbolic links")
def test_saving_does_not_write_through_links(model, tmp_path):
    outside, [arrays] = tmp_path / "outside", model.glob("arrays-*")
    outside.write_text("mine")
    arrays.unlink()
    arrays.symlink_to(outside)
    for discriminator in (RandomForestClassifier(2, max_depth=2), NeuralDiscriminator((4,))):
        save(learner(discriminator=discriminator), model)
        assert outside.read_text() == "mine"
        load(model)


def test_a_model_of_a_later_version(model):
    change(model, lambda manifest: manifest.update(version=folder.VERSION + 1))
    refused(model, "format version 2, and this turinglearn reads version 1. Install the turinglearn that wrote it")


def test_files_that_may_not_be_read(model, monkeypatch):
    def forbidden(*arguments):
        raise PermissionError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", forbidden)
        refused(model, "cannot be read: Permission denied")
    monkeypatch.setattr(Path, "read_bytes", lambda file: (_ for _ in ()).throw(MemoryError))
    refused(model, "too much memory")


# ---------------------------------------------------------------------------------------------------------- crafted folders
@pytest.mark.parametrize(
    "name",
    ["../outside.safetensors", "/etc/passwd", "..\\outside.skops", "C:arrays.skops", "arrays", "a/b.skops", "arrays.pkl", "",
     "arrays.safetensors\n", "con:.skops", "a" * 5000 + ".skops"],
)  # fmt: skip
def test_names_of_other_places_are_refused(name, model):
    change(model, lambda manifest: manifest["files"].update({name: {"sha256": "0" * 64, "size": 1}}))
    refused(model, "not one of its own|lacks its file|cannot be read: File name too long")


@pytest.mark.parametrize(
    "entry",
    [None, 5, [], {}, {"sha256": "../../x", "size": 1}, {"sha256": "0" * 63 + "G", "size": 1}, {"sha256": "0" * 64},
     {"sha256": "0" * 64, "size": "1"}, {"sha256": 5, "size": 1}],
)  # fmt: skip
def test_entries_of_other_kinds_are_refused(entry, model):
    change(model, lambda manifest: manifest["files"].update({"arrays.safetensors": entry}))
    refused(model, "not one of its own")


def test_wrong_sizes_are_refused(model):
    change(model, lambda manifest: manifest["files"]["arrays.safetensors"].update(size=10**30))
    refused(model, "but the manifest says")


@pytest.mark.parametrize(
    "manifest",
    [5, [], None, {}, {"format": "turinglearn model"}, {"format": "turinglearn model", "version": 1},
     {"format": "turinglearn model", "version": 1, "files": [], "document": {}},
     {"format": "turinglearn model", "version": 1, "files": {}, "document": []},
     {"format": "turinglearn model", "version": 1, "files": {}, "document": {}},
     {"format": "another", "version": 1, "files": {}, "document": {}},
     {"format": "turinglearn model", "version": [10**99] * 99, "files": {}, "document": {}}],
)  # fmt: skip
def test_manifests_of_other_kinds_are_refused(manifest, model):
    seal(model, json.dumps(manifest).encode())
    refused(model, "model")


@pytest.mark.parametrize("bomb", [b"[" * 10**6, b'{"a":' * 10**6, b"9" * 10**5, b'"\xff"', b"\xef\xbb\xbf{}", b"{"])
def test_json_bombs(bomb, model):
    seal(model, bomb)
    refused(model, "is not the manifest of a turinglearn model")


@pytest.mark.parametrize("depth", [9, 300, 450, 2000])
def test_nesting(depth, model):
    """Too deep for the JSON parser, too deep for `decode`, or deep enough for neither but not a number of rounds."""
    body = (model / "manifest.json").read_bytes().rsplit(b"\n", 2)[0]
    nested = b'{"kind": "list", "items": [' * depth + b"1" + b"]}" * depth
    assert body.count(b'"rounds": 2') == 1
    seal(model, body.replace(b'"rounds": 2', b'"rounds": ' + nested))
    refused(model, "does not fit|RecursionError|recursion")


def test_a_manifest_of_a_terabyte_is_not_read(model):
    with (model / "manifest.json").open("r+b") as file:
        file.truncate(2**40)  # sparse
    refused(model, "too many for a manifest")


def nodes(value, path=()):
    """All places in the JSON."""
    yield path
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in inside:
        yield from nodes(inner, (*path, key))


def test_wrong_types_in_any_field_raise_nothing_else(model, saved):
    """A wrong value or none at each place of the document: refused or loaded, without another error."""
    rng, whole = np.random.default_rng(0), files(saved)
    document = json.loads(whole["manifest.json"].rsplit(b"\n", 2)[0])["document"]
    places = [place for place in nodes(document) if place]
    others = (None, 5, -1, 1e300, "x", [], {}, [[1]], True, {"kind": "array", "key": "x"}, {"kind": "dict", "pairs": [[1]]})
    refusals = 0
    for index in rng.choice(len(places), 200, replace=False):
        *way, last = places[index]

        def edit(manifest, way=way, last=last):
            at = manifest["document"]
            for key in way:
                at = at[key]
            if rng.random() < 0.2:
                del at[last]
            else:
                at[last] = others[rng.integers(len(others))]

        change(model, edit)
        try:
            load(model)
        except CorruptModelError as error:
            refusals += 1
            assert str(model) in str(error)
        except ValueError as error:
            assert "Pass it: load(path" in str(error)
        (model / "manifest.json").write_bytes(whole["manifest.json"])
    assert refusals > 50


def test_files_that_the_document_needs_but_the_manifest_does_not_name(model):
    for name in ("arrays.safetensors", "estimator-0.skops"):
        whole = (model / "manifest.json").read_bytes()
        change(model, lambda manifest, name=name: manifest["files"].pop(name) and None)
        refused(model, f"KeyError: '{name}'")
        (model / "manifest.json").write_bytes(whole)


def test_files_that_are_of_another_kind(model):
    """With the right checksum, but neither safetensors nor skops."""
    for name in ("arrays.safetensors", "estimator-0.skops"):
        shutil.copytree(model, twin := model.parent / name)
        for content in (b"", b"x", b"PK\x05\x06" + bytes(18), b"\xff" * 8 + b"{}", bytes(999)):
            digest = hashlib.sha256(content).hexdigest()
            change(twin, lambda m, e={"sha256": digest, "size": len(content)}, n=name: m["files"].update({n: e}))
            stem, suffix = os.path.splitext(name)
            (twin / f"{stem}-{digest[:16]}{suffix}").write_bytes(content)
            refused(twin, "cannot be read")


# --------------------------------------------------------------------------------------------------------- failing to save
@pytest.mark.parametrize("fails", range(8))
def test_a_full_disk_leaves_the_old_model_intact(fails, model, monkeypatch):
    """The disk is full at the n-th write."""
    before, done, new = files(model), 0, learner(discriminator=RandomForestClassifier(2))
    fsync = os.fsync

    def full(descriptor):
        nonlocal done
        done += 1
        if done > fails:
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(
            OSError, match=r"could not be saved in .*model: No space left on device\. What was saved there"
        ) as raised:
            save(new, model)
    assert raised.value.errno == errno.ENOSPC
    assert files(model) == before
    save(new, model)
    np.testing.assert_array_equal(load(model).sample(5), new.sample(5))


def test_a_read_only_folder(tmp_path, monkeypatch):
    def forbidden(*arguments, **options):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", forbidden)
    with pytest.raises(PermissionError, match=r"could not be saved in .*: Permission denied"):
        save(learner(), tmp_path / "model")


def test_the_remains_of_a_killed_save_do_no_harm(model):
    for name in ("manifest.json", *[name for name in os.listdir(model) if "estimator-1" in name]):
        (model / name).unlink()
    (model / "manifest.json.0a1b2c3d.partial").write_text("{")
    refused(model, "it has no manifest", ModelNotFoundError)
    save(learner(), model)
    assert len(os.listdir(model)) == 2
    load(model)


def test_folders_of_other_things_are_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    for other in (None, '{"name": "an app"}', "", "turinglearn"):
        if other is not None:
            (tmp_path / "manifest.json").write_text(other)
        before = files(tmp_path)
        with pytest.raises(FileExistsError, match="a folder with other things in it, not a model"):
            save(learner(), tmp_path)
        assert files(tmp_path) == before
    with pytest.raises(FileExistsError, match="is a file"):
        save(learner(), tmp_path / "notes.txt")
    with pytest.raises(OSError, match="could not be saved"):
        save(learner(), tmp_path / "notes.txt" / "model")


def test_a_damaged_model_may_be_replaced(model):
    content = bytearray((model / "manifest.json").read_bytes())
    content[len(content) // 2] ^= 1
    (model / "manifest.json").write_bytes(content)
    save(learner(), model)
    load(model)


def test_saving_the_same_model_again_changes_no_data(tmp_path):
    save(learner(), tmp_path / "model")
    before = files(tmp_path / "model")
    save(learner(), tmp_path / "model")
    assert files(tmp_path / "model") == before


def test_readers_see_a_complete_model_during_a_save(tmp_path):
    stages = [learner(seed=seed) for seed in range(2)]
    samples = [stage.sample(2, random_state=0).tolist() for stage in stages]
    save(stages[0], tmp_path / "model")
    stop = threading.Event()

    def write():
        while not stop.is_set():
            for stage in stages:
                save(stage, tmp_path / "model")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        seen = [load(tmp_path / "model").sample(2, random_state=0).tolist() for _ in range(60)]
    finally:
        stop.set()
        writer.join()
    assert {str(sample) for sample in seen} == {str(sample) for sample in samples}


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX permissions")
def test_permissions_follow_the_umask(tmp_path):
    before = os.umask(0o077)
    try:
        save(learner(), tmp_path / "model")
    finally:
        os.umask(before)
    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "model").iterdir()} == {0o600}
