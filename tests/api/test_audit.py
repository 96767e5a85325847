"""`dmf.audit`, `dmf.audit_sweep` and their files: adapters as peft and kohya-ss save them, heads, hostile bytes."""

import io
import json
import struct
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.numpy import load_file, save_file
from safetensors.torch import load_file as load_torch
from safetensors.torch import save_file as save_torch

import dmf
from dmf.api.pairs import Heads, Scaling, adapters, heads, named, write_balanced
from dmf.api.tensors import CONFIG, WEIGHTS, read_tensors
from dmf.cli.main import main
from dmf.errors import UserError
from dmf.theory.adapter import balanced_pair

RNG = np.random.default_rng(0)
NAMES = "base_model.model.layers.{}.{}.lora_{}.weight"


def saved(folder: Path, rank: int = 2, **config: object) -> dict[str, np.ndarray]:
    """An adapter's folder as peft writes it, on two modules of two layers, and its tensors."""
    tensors = {}
    for layer in range(2):
        for module in ("q_proj", "v_proj"):
            tensors[NAMES.format(layer, module, "A")] = RNG.standard_normal((rank, 5)).astype(np.float32)
            tensors[NAMES.format(layer, module, "B")] = RNG.standard_normal((4, rank)).astype(np.float32)
    folder.mkdir()
    save_file(tensors, folder / WEIGHTS, {"format": "pt"})
    (folder / CONFIG).write_text(json.dumps({"r": rank, "lora_alpha": 6, **config}))
    return tensors


def test_an_adapters_folder_gives_every_pair_with_its_scale(tmp_path):
    tensors = saved(tmp_path / "one")
    pairs = adapters(read_tensors(tmp_path / "one"), Scaling())
    assert [pair.name for pair in pairs] == [f"layers.{i}.{m}_proj" for i in range(2) for m in "qv"]
    assert {pair.scale for pair in pairs} == {3.0}
    np.testing.assert_array_equal(pairs[1].b, tensors[NAMES.format(0, "v_proj", "B")])
    np.testing.assert_array_equal(pairs[1].a, tensors[NAMES.format(0, "v_proj", "A")])


@pytest.mark.parametrize(
    ("config", "scaling", "scales"),
    [
        ({"use_rslora": True}, Scaling(), [6 / np.sqrt(2)] * 4),
        ({"alpha_pattern": {"v_proj": 4, r"layers.1.q_proj": 10}}, Scaling(), [3, 2, 5, 2]),
        ({"alpha_pattern": {"proj": 4}}, Scaling(), [3] * 4),  # a name's last part whole, as peft has it
        ({}, Scaling(scale=7.0), [7] * 4),
        ({}, Scaling(alpha=8.0), [4] * 4),
        ({}, Scaling(alpha=8.0, rank_stable=True), [8 / np.sqrt(2)] * 4),
    ],
)
def test_scales_are_those_of_peft(config, scaling, scales, tmp_path):
    saved(tmp_path / "one", **config)
    assert [pair.scale for pair in adapters(read_tensors(tmp_path / "one"), scaling)] == pytest.approx(scales)


def test_the_names_and_alphas_of_kohya_are_known(tmp_path):
    tensors = {
        "unet_q.lora_down.weight": np.ones((2, 3), np.float16),
        "unet_q.lora_up.weight": np.ones((4, 2), np.float16),
        "unet_q.alpha": np.array(1.0, np.float32),
    }
    save_file(tensors, tmp_path / "k.safetensors")
    (pair,) = adapters(read_tensors(tmp_path / "k.safetensors"), Scaling())
    assert (pair.name, pair.scale, pair.b.shape) == ("unet_q", 0.5, (4, 2))


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_every_type_is_read_as_torch_reads_it_and_written_back(kind, tmp_path):
    given = {name: torch.randn(shape, dtype=torch.float64).to(kind) for name, shape in (("A", (2, 5)), ("B", (4, 2)))}
    save_torch({**given, "other": torch.arange(3)}, tmp_path / "t.safetensors", {"format": "pt"})
    tensors = read_tensors(tmp_path / "t.safetensors")
    (pair,) = adapters(tensors, Scaling())
    np.testing.assert_array_equal(pair.a, given["A"].double().numpy())
    np.testing.assert_array_equal(pair.b, given["B"].double().numpy())
    b, a = balanced_pair(pair.b, pair.a)
    worst = write_balanced(tensors, [(pair, b, a)], tmp_path / "o.safetensors")
    found = load_torch(tmp_path / "o.safetensors")
    assert {name: (one.dtype, one.shape) for name, one in found.items()} == {
        "A": (kind, (2, 5)), "B": (kind, (4, 2)), "other": (torch.int64, (3,)),
    }  # fmt: skip
    np.testing.assert_array_equal(found["A"].double(), torch.from_numpy(a).to(kind).double())
    assert worst <= 4 * torch.finfo(kind).eps
    assert dmf.audit(found["B"].double(), found["A"].double()).imbalance <= 4 * torch.finfo(kind).eps
    assert len((tmp_path / "t.safetensors").read_bytes()) == len((tmp_path / "o.safetensors").read_bytes())


def test_a_balanced_folder_is_an_adapter_again_and_other_members_of_an_archive_stay(tmp_path, capsys):
    tensors = saved(tmp_path / "one")
    assert main(["audit", str(tmp_path / "one"), "--rebalance", str(tmp_path / "two")]) == 0
    assert "the same products in balance" in capsys.readouterr().out
    assert (tmp_path / "two" / CONFIG).read_text() == (tmp_path / "one" / CONFIG).read_text()
    found = load_file(tmp_path / "two" / WEIGHTS)
    for layer in range(2):
        names = [NAMES.format(layer, "q_proj", factor) for factor in "BA"]
        product, before = (one[names[0]] @ one[names[1]] for one in (found, tensors))
        np.testing.assert_allclose(product, before, atol=1e-5)
    np.savez(tmp_path / "p.npz", A=np.ones((1, 2)), B=3 * np.ones((2, 1)), label=np.array("x"))
    assert main(["audit", str(tmp_path / "p.npz"), "--rebalance", str(tmp_path / "q.npz")]) == 0
    with np.load(tmp_path / "q.npz") as archive:
        np.testing.assert_allclose(np.abs(archive["A"]), np.sqrt(3), rtol=1e-14)
        assert archive["label"] == "x"


def test_heads_are_blocks_of_rows_and_shared_keys_go_to_several(tmp_path):
    q, k, v, o = (RNG.standard_normal(shape) for shape in ((6, 5), (3, 5), (6, 5), (5, 6)))
    np.savez(tmp_path / "h.npz", **{"l.0.q": q, "l.0.k": k, "l.0.v": v, "l.0.o": o})
    tensors = read_tensors(tmp_path / "h.npz")
    pairs = heads(tensors, Heads("l.*.q", "l.*.k", 2))
    assert [pair.name for pair in pairs] == ["l.0.q head 0", "l.0.q head 1"]
    for head, pair in enumerate(pairs):
        np.testing.assert_allclose(pair.b @ pair.a, q[3 * head : 3 * head + 3].T @ k)
    pairs = heads(tensors, Heads("l.0.o", "l.0.v", 3, outputs=True))
    np.testing.assert_allclose(sum(pair.b @ pair.a for pair in pairs), o @ v)


def test_a_planted_rank_is_found_and_a_shuffled_gradient_is_no_evidence(tmp_path, capsys):
    """A quadratic loss with three directions above tau: pairs of rank 2 and 3, then with shuffled gradients."""
    lam, target = 0.1, np.diag([3.0, 2.0, 1.0, 0.05])
    tensors, gradients, shuffled = {}, {}, {}
    for rank in (2, 3):
        root = np.sqrt(np.maximum(np.diag(target)[:rank] - lam, 0))
        b, a = np.eye(4)[:, :rank] * root, root[:, None] * np.eye(4)[:rank]
        tensors |= {f"r{rank}.lora_A.weight": a, f"r{rank}.lora_B.weight": b}
        gradients[f"r{rank}"] = 2 * (b @ a - target)
        shuffled[f"r{rank}"] = RNG.permutation(gradients[f"r{rank}"].ravel()).reshape(4, 4)
    np.savez(tmp_path / "pairs.npz", **tensors)
    np.savez(tmp_path / "g.npz", **gradients)
    np.savez(tmp_path / "s.npz", **shuffled)

    def verdicts(name: str) -> list[str]:
        call = ["audit", str(tmp_path / "pairs.npz"), "--lam", "0.1", "--gradient", str(tmp_path / name), "--json"]
        assert main(call) == 0
        return [one["verdict"] for one in json.loads(capsys.readouterr().out)]

    assert verdicts("g.npz") == ["too low", "suffices"]
    assert verdicts("s.npz") == ["not critical", "not critical"]


def test_a_pair_that_does_not_use_its_rank_is_a_saddle_and_zero_suffices_above_the_threshold():
    target = np.diag([2.0, 1.0])
    zero = np.zeros((2, 2))
    assert dmf.audit(zero, zero, lam=0.5, gradient=-2 * target).verdict == "saddle"
    assert dmf.audit(zero, zero, lam=2.5, gradient=-2 * target).verdict == "suffices"
    found = dmf.audit(zero, zero, lam=2.5, gradient=-2 * target, loss=5.0)
    assert (found.most_to_gain, found.effective_rank, found.imbalance) == (0.0, 0.0, 0.0)
    json.dumps(found.to_dict(), allow_nan=False)


def test_pairs_are_taken_as_people_have_them():
    b, a = RNG.standard_normal((4, 2)), RNG.standard_normal((2, 3))
    expected = dmf.audit(b, a).to_dict()
    for one, other in ((b.tolist(), a.tolist()), (pd.DataFrame(b), a), (torch.tensor(b, requires_grad=True), a)):
        assert dmf.audit(one, other).to_dict() == expected


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"gradient": np.ones((4, 3))}, "lam: got none, expected lambda > 0 with a gradient"),
        ({"lam": 0.1, "loss": 1.0}, "loss: got 1.0, expected f >= 0 with a gradient"),
        ({"lam": 0.1, "gradient": np.ones((4, 3)), "loss": -1.0}, "loss: got -1.0, expected"),
        ({"lam": np.nan}, "lam = nan: expected a finite number"),
        ({"scale": 0.0}, "scale = 0.0: expected a number > 0"),
        ({"lam": 0.1, "gradient": np.ones((4, 3)) * 1j}, "gradient: expected real numbers"),
        ({"lam": 0.1, "gradient": np.full((4, 3), 1e200)}, "gradient: got an entry of size 1e.200, expected at most"),
    ],
)
def test_arguments_that_say_nothing_are_refused(options, says):
    with pytest.raises(ValueError, match=f"^{says}"):
        dmf.audit(np.ones((4, 2)), np.ones((2, 3)), **options)


def tensors_of(content: dict[str, np.ndarray]) -> bytes:
    written = io.BytesIO()
    np.savez(written, **content)
    return written.getvalue()


def header(entries: object, data: bytes = b"\0" * 8) -> bytes:
    text = json.dumps(entries).encode()
    return struct.pack("<Q", len(text)) + text + data


F32 = {"dtype": "F32", "shape": [1, 2], "data_offsets": [0, 8]}
HOSTILE = {
    "cut.safetensors": (header({"A": F32})[:-4], "no safetensors file"),
    "empty.safetensors": (b"", "no safetensors file"),
    "long.safetensors": (struct.pack("<Q", 2**62) + b"{}", "no safetensors file"),
    "past.safetensors": (header({"A": F32 | {"data_offsets": [0, 2**40]}}), "no safetensors file"),
    "over.safetensors": (header({"A": F32, "B": F32 | {"data_offsets": [4, 12]}}), "no safetensors file"),
    "huge.safetensors": (header({"A": F32 | {"shape": [2**40, 2**40]}}), "no safetensors file"),
    "twice.safetensors": (header({})[:8] + b'{"A": 1}', "no safetensors file"),
    "pickle.npz": (tensors_of({"A": np.array([{}], dtype=object)}), "no archive of numpy.savez"),
    "cut.npz": (tensors_of({"A": np.ones(9)})[:60], "no archive of numpy.savez"),
    "alone.npz": (tensors_of({"x.lora_B.weight": np.ones((2, 1))}), "x.lora_B.weight has no counterpart"),
    "none.npz": (
        tensors_of({"weight": np.ones((2, 1))}),
        "no adapters, whose names have lora_A and lora_B; it has weight",
    ),
    "shapes.npz": (tensors_of({"A": np.ones((2, 3)), "B": np.ones((4, 3))}), r"expected \(d_out, r\) and \(r, d_in\)"),
    "conv.npz": (tensors_of({"A": np.ones((2, 3, 3)), "B": np.ones((4, 2))}), "convolutions are not audited"),
    "complex.npz": (
        tensors_of({"A": np.ones((2, 3)) * 1j, "B": np.ones((4, 2))}),
        "has type complex128, expected float16",
    ),
    "int.npz": (tensors_of({"A": np.ones((2, 3), int), "B": np.ones((4, 2))}), "has type int64, expected"),
    "nan.npz": (tensors_of({"A": np.full((2, 3), np.nan), "B": np.ones((4, 2))}), r"nan at \(0, 0\), and 5 more"),
    "zero.npz": (tensors_of({"A": np.ones((0, 3)), "B": np.ones((4, 0))}), "expected a matrix"),
    "text.txt": (b"hello", r"has ending .txt, expected .safetensors or .npz"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_that_is_none_is_one_line(name, tmp_path, capsys):
    content, says = HOSTILE[name]
    (tmp_path / name).write_bytes(content)
    assert main(["audit", str(tmp_path / name)]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    with pytest.raises(UserError, match=says):
        adapters(read_tensors(tmp_path / name), Scaling())


def test_folders_that_are_none_are_one_line(tmp_path):
    with pytest.raises(UserError, match=f"expected a folder with {WEIGHTS} and {CONFIG}"):
        read_tensors(tmp_path)
    saved(tmp_path / "one", lora_alpha="six")
    with pytest.raises(UserError, match="alpha is six, expected a number > 0"):
        adapters(read_tensors(tmp_path / "one"), Scaling())
    for wrong in ({"lora_alpha": 4, "alpha_pattern": [1]}, {"lora_alpha": True}, {"lora_alpha": 0}):
        (tmp_path / "one" / CONFIG).write_text(json.dumps(wrong))
        with pytest.raises(UserError, match="alpha"):
            adapters(read_tensors(tmp_path / "one"), Scaling())
    (tmp_path / "one" / CONFIG).write_text("[" * 10**5)
    with pytest.raises(UserError, match="no JSON"):
        read_tensors(tmp_path / "one")
    (tmp_path / "one" / CONFIG).write_text("[1]")
    with pytest.raises(UserError, match="expected a JSON object"):
        read_tensors(tmp_path / "one")
    (tmp_path / "one" / CONFIG).write_text("{")
    with pytest.raises(UserError, match="no JSON"):
        read_tensors(tmp_path / "one")


def test_what_does_not_fit_half_precision_is_not_written(tmp_path):
    content = {"A": np.full((1, 2), 6e4, np.float16), "B": np.full((2, 1), 6e4, np.float16)}
    np.savez(tmp_path / "h.npz", **content)
    tensors = read_tensors(tmp_path / "h.npz")
    (pair,) = adapters(tensors, Scaling())
    with pytest.raises(UserError, match="A does not fit F16"):
        write_balanced(tensors, [(pair, pair.b, 2 * pair.a)], tmp_path / "o.npz")
    assert not (tmp_path / "o.npz").exists()


def test_names_are_found_by_a_star_and_missed_with_what_was_meant(tmp_path):
    tensors = {f"h.{i}.{name}": np.ones(shape) for i in range(2) for name, shape in (("up", (4, 2)), ("down", (2, 3)))}
    np.savez(tmp_path / "n.npz", **tensors)
    read = read_tensors(tmp_path / "n.npz")
    assert [pair.a_name for pair in named(read, "h.*.up", "h.*.down", Scaling(alpha=4.0))] == ["h.0.down", "h.1.down"]
    assert {pair.scale for pair in named(read, "h.*.up", "h.*.down", Scaling(alpha=4.0))} == {2.0}
    with pytest.raises(UserError, match=r"h\.0\.dwn: not in the file; did you mean h\.0\.down"):
        named(read, "h.0.up", "h.0.dwn", Scaling())
    with pytest.raises(UserError, match=r"expected one \* in each, or none"):
        named(read, "h.*.up", "h.0.down", Scaling())
    with pytest.raises(UserError, match=r"no tensor is called 'g\.\*\.up'"):
        named(read, "g.*.up", "g.*.down", Scaling())
    with pytest.raises(UserError, match="expected multiples of one size, 3 heads in the first"):
        heads(read, Heads("h.0.up", "h.0.up", 3))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--gradient", "g.npz"], "--gradient: got no --lam with it"),
        (["--loss", "1"], "--loss: got no --gradient with it"),
        (["--lam", "-1"], "--lam: got -1.0, expected a number > 0"),
        (["--scale", "nan"], "--scale: got nan, expected a number > 0"),
        (["--heads", "3"], "--heads: got 3, expected a number > 0 with --qk or --ov, and none without"),
        (["--qk", "A", "A"], "--heads: got None, expected a number > 0"),
        (["--qk", "A", "A", "--heads", "1", "--rebalance", "x.npz"], "--rebalance: heads share their tensors"),
        (["--lam", "0.1", "--gradient", "g.npz"], r"BA: gradient: got shape \(3, 3\), expected that of B A, \(4, 3\)"),
        (["--rebalance", "p.npz"], "p.npz: exists already"),
        (["--rebalance", "p.npz/q.npz"], "p.npz"),
        (["--rslora", "--pair", "B", "A"], "--rslora: got no --alpha with it"),
        (["--qk", "A", "A", "--heads", "1", "--alpha", "2"], "--scale, --alpha, --rslora: a head's product has none"),
    ],
)
def test_wrong_calls_of_audit_are_one_line(words, says, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    np.savez("p.npz", A=np.ones((2, 3)), B=np.ones((4, 2)))
    np.savez("g.npz", G=np.ones((3, 3)))
    assert main(["audit", "p.npz", *words]) == 1
    printed = capsys.readouterr().err
    assert printed.count("\n") == 1
    assert pd.Series([printed]).str.contains(says).all()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["g.npz", "p.npz"]


SWEEP = "lam,loss,norm_sq,seed\n0.1,1,5,0\n0.1,2,4,1\n0.2,1.5,2,2\n"


def test_a_sweep_is_read_judged_and_drawn(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("s.csv").write_text("\ufeff" + SWEEP.replace("loss", "train loss"))
    assert main(["audit-sweep", "s.csv", "--loss", "train loss", "--figure", "s.svg", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["not_global"] for row in rows] == [False, True, False]
    assert rows[1]["excess"] == pytest.approx(0.9)
    assert Path("s.svg").stat().st_size > 1000
    assert main(["audit-sweep", "s.csv", "--loss", "train loss", "--tolerance", "0.5"]) == 0
    assert "0 of 3 runs are provably no global minimizers" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("content", "words", "says"),
    [
        (SWEEP, ["--loss", "los"], "s.csv: no column los; did you mean loss?; it has lam, loss, norm_sq, seed"),
        (SWEEP.replace("seed", "loss"), [], "s.csv: 2 columns loss"),
        (
            SWEEP.replace("1.5", ""),
            [],
            "s.csv, line 4, column loss: got '', expected a finite number; leave that run out",
        ),
        (SWEEP.replace("1.5", "nan"), [], "s.csv, line 4, column loss: got 'nan'"),
        (SWEEP.replace("0.2,", "-0.2,"), [], r"s.csv: lam[2] = -0.2: expected a number >= 0"),
        ("lam,loss,norm_sq\n", [], "s.csv: lam: got no runs"),
        ("", [], "s.csv: no column lam; it has none"),
        ("lam,loss,norm_sq\n1,2\n", [], "s.csv, line 2, column norm_sq: got ''"),
        (SWEEP, ["--tolerance", "-1"], "tolerance: got -1.0, expected a number >= 0"),
        (SWEEP, ["--figure", "s.exe"], "--figure: got s.exe, expected a name that ends in .svg, .png, .pdf"),
        (SWEEP, ["--figure", "no/s.svg"], "choose another place"),
    ],
)
def test_wrong_sweeps_are_one_line(content, words, says, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("s.csv").write_text(content)
    assert main(["audit-sweep", "s.csv", *words]) == 1
    printed = capsys.readouterr()
    assert (printed.out, printed.err.count("\n")) == ("", 1)
    assert says in printed.err


def test_a_sweep_in_other_bytes_is_one_line(tmp_path, capsys):
    (tmp_path / "s.csv").write_bytes(b"\xff\xfe\x00lam")
    assert main(["audit-sweep", str(tmp_path / "s.csv")]) == 1
    assert main(["audit-sweep", str(tmp_path)]) == 1
    assert capsys.readouterr().err.count("\n") == 2
