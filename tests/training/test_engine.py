"""The engine's contract with its caller: arguments, progress, threads."""

import numpy as np
import pytest
import torch

from dmf.training.arguments import check_device

BAD = {
    "targets": [
        (lambda b: b.targets.__setitem__((1, 0, 0), np.nan), "nan"),
        (lambda b: setattr(b, "targets", b.targets[:, :2]), r"\(4, 2, 3\).*\(4, 3, 3\)"),
    ],
    "lams": [
        (lambda b: b.lams.__setitem__(2, 0.0), r"0\.0 at \(2,\)"),
        (lambda b: b.lams.__setitem__(2, -1.0), r"-1\.0"),
        (lambda b: setattr(b, "lams", b.lams[:3]), r"\(3,\).*\(4,\)"),
    ],
    "gradient_tolerance": [
        (lambda b: b.tolerance.__setitem__(0, 0.0), r"0\.0"),
        (lambda b: b.tolerance.__setitem__(0, np.nan), "nan"),
    ],
    "starts": [
        (lambda b: b.starts.pop(), r"two or more layers"),
        (lambda b: b.starts.__setitem__(1, b.starts[1][:, :, :2]), r"chain"),
        (lambda b: b.starts.__setitem__(1, b.starts[1][:2]), r"chain"),
    ],
}


@pytest.mark.parametrize(("name", "spoil", "says"), [(n, f, s) for n, cases in BAD.items() for f, s in cases])
def test_impossible_input_is_refused_in_one_line(name, spoil, says, draw_batch):
    batch = draw_batch((3, 3, 3), 4)
    spoil(batch)
    with pytest.raises(ValueError, match=rf"^{name}: .*{says}.*") as error:
        batch.train()
    assert "\n" not in str(error.value)
    assert "expected" in str(error.value)


@pytest.mark.parametrize("option", [{"threads": 0}, {"batch": 0}])
def test_impossible_options_are_refused(option, draw_batch):
    with pytest.raises(ValueError, match=rf"^{next(iter(option))}: 0, expected"):
        draw_batch((3, 3, 3), 4).train(**option)


@pytest.mark.parametrize("name", ["gpu", "cuda:", "cuda:x", "CPU", "mps", ""])
def test_an_unknown_device_is_refused(name, draw_batch):
    with pytest.raises(ValueError, match=rf"^device: got '{name}', expected auto, cpu, torch, cuda or cuda:N$"):
        draw_batch((3, 3, 3), 4).train(device=name)


@pytest.mark.parametrize("name", ["cuda:99", *([] if torch.cuda.is_available() else ["cuda", "cuda:0"])])
def test_a_graphics_card_that_is_not_there_is_refused(name, draw_batch):
    with pytest.raises(ValueError, match=rf"^device: got '{name}', but torch sees \d+ CUDA devices; .*$") as error:
        draw_batch((3, 3, 3), 4).train(device=name)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["torch", "cuda", "cuda:3"])
def test_without_torch_its_devices_are_refused_with_what_to_install_and_auto_is_the_processor(name, monkeypatch):
    monkeypatch.setattr("dmf.training.arguments.find_spec", lambda package: None)
    with pytest.raises(ValueError, match=rf"^device: got '{name}', but torch is not installed; install it .*"):
        check_device(name)
    assert check_device("auto") == check_device("cpu") == "cpu"


@pytest.mark.skipif(torch.cuda.is_available(), reason="auto takes the card")
def test_auto_is_the_compiled_engine_where_there_is_no_card(draw_batch):
    batch = draw_batch((3, 3, 3), 4)
    assert np.array_equal(batch.train(device="auto").end_to_end, batch.train(device="cpu").end_to_end)


@pytest.mark.parametrize("device", ["cpu", "torch"])
@pytest.mark.parametrize("count", [1, 50])
def test_progress_grows_to_the_number_of_runs(count, draw_batch):
    seen = []
    draw_batch((4, 4, 4), count).train(progress=seen.append)
    assert seen[-1] == count
    assert seen == sorted(set(seen))


@pytest.mark.parametrize("device", ["cpu", "torch"])
def test_the_callers_threads_and_arrays_are_left_alone(draw_batch):
    batch, before = draw_batch((4, 4, 4), 5), torch.get_num_threads()
    copy = batch.take(range(5))
    batch.train(threads=before + 1)
    assert torch.get_num_threads() == before
    assert np.array_equal(batch.targets, copy.targets)
    assert all(np.array_equal(a, b) for a, b in zip(batch.starts, copy.starts, strict=True))
