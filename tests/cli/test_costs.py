"""What jobs took is compared with what was predicted, and changes what is asked of a queue and nothing else."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from dmf.cli.main import main
from dmf.grid.cost import SNAKEMAKES_MIB, minutes, train_seconds
from dmf.plan import WorkflowPlan, plan_workflow
from harness import TINY, Workflow

HEADER = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"
# Tiles long enough that more time asks for more minutes.
LONG = {**TINY, "starts": {"scales": [1], "count": 100_000}, "tiles": {"seconds": 600}}


def plan_of(config: dict[str, Any] = LONG, root: str = "") -> WorkflowPlan:
    return plan_workflow(config, "grid.yaml", trains_here=False, root=root)


def measure(name: str, seconds: str, mib: str, cpu: str = "1.0") -> Path:
    path = Path("data/tiny/benchmarks", f"{name}.tsv")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{HEADER}{seconds}\t0:00:01\t{mib}\t-\t-\t-\t-\t-\t50\t{cpu}\n")
    return path


def costs(capsys: pytest.CaptureFixture[str], *options: str) -> str:
    Path("grid.yaml").write_text(yaml.safe_dump(LONG))
    status = main(["costs", "grid.yaml", *options])
    said = capsys.readouterr()
    assert (status == 0) == (said.err == ""), said
    return said.out + said.err


@pytest.fixture
def tripled(in_tmp: Path) -> WorkflowPlan:
    """Every tile took three times its time and twice its memory, every certificate half of both."""
    plan = plan_of()
    for tile in plan.tiles:
        seconds, mib = plan.predicted_seconds("train", {"tile": tile}), plan.predicted_mib("train", {"tile": tile})
        assert mib
        measure(f"train/{tile}", f"{3 * seconds:.4f}", f"{2 * mib:.2f}")
    for name in plan.evidence_chunks:
        wildcards = {"evidence_chunk": name}
        seconds, mib = plan.predicted_seconds("certify", wildcards), plan.predicted_mib("certify", wildcards)
        assert mib
        measure(f"certify/{name}", f"{seconds / 2:.4f}", f"{mib / 2:.2f}")
    return plan


def rows(text: str) -> dict[str, list[str]]:
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in text.splitlines() if "│" in line]
    return {row[0]: row for row in cells}


def test_the_factor_is_what_was_measured_over_what_was_predicted(
    tripled: WorkflowPlan, capsys: pytest.CaptureFixture[str]
) -> None:
    found = rows(costs(capsys))
    assert [found["train"][at] for at in (1, 5, 9)] == [str(len(tripled.tiles)), "3", "2"]
    assert [found["certify"][at] for at in (5, 9)] == ["0.5", "0.5"]
    assert not Path("data/costs.json").exists()


def test_factors_change_what_is_asked_for_and_no_identity(
    tripled: WorkflowPlan, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "data/costs.json: written" in costs(capsys, "--write")
    plan = plan_of()
    for name, tile in plan.tiles.items():
        assert plan.train_minutes(name, 1) == minutes(3 * train_seconds(tile), 1) > tripled.train_minutes(name, 1)
        asked, before = (one.train_mb(name, 1) - SNAKEMAKES_MIB for one in (plan, tripled))
        assert asked == pytest.approx(2 * before, rel=0.01)
        assert plan.work("train", {"tile": name}).seconds == 3 * tripled.work("train", {"tile": name}).seconds
    for name in plan.evidence_chunks:
        assert plan.certify_mb(name, 1) < tripled.certify_mb(name, 1)
    assert {path: plan.products.identity(path) for path in plan.products.paths} == {
        path: tripled.products.identity(path) for path in tripled.products.paths
    }
    assert plan.tiles == tripled.tiles
    assert "3" in rows(costs(capsys))["train"]  # again of the bare prediction, not of the corrected one


def test_a_module_has_its_own_factors(tripled: WorkflowPlan, capsys: pytest.CaptureFixture[str]) -> None:
    costs(capsys, "--write")
    name = next(iter(tripled.tiles))
    assert plan_of(root="elsewhere/").train_mb(name, 1) == tripled.train_mb(name, 1)
    Path("elsewhere/data").mkdir(parents=True)
    Path("data/costs.json").rename("elsewhere/data/costs.json")
    assert plan_of(root="elsewhere/").train_mb(name, 1) > plan_of().train_mb(name, 1)


def test_preflight_counts_with_the_factors(tripled: WorkflowPlan, capsys: pytest.CaptureFixture[str]) -> None:
    def core_hours() -> float:
        assert main(["preflight", "grid.yaml"]) == 0
        line = rows(capsys.readouterr().out)["training"]
        return float(line[1].split()[0])

    Path("grid.yaml").write_text(yaml.safe_dump(LONG))
    before = core_hours()
    costs(capsys, "--write")
    assert core_hours() == pytest.approx(3 * before, rel=0.01)


def test_rules_that_were_not_measured_again_keep_their_factors(
    tripled: WorkflowPlan, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("data/costs.json").write_text('{"prove": {"seconds": 7, "memory": 5}}')
    costs(capsys, "--write")
    plan = plan_of()
    assert (plan.factors["prove"].memory, plan.factors["train"].memory) == (5, 2)


def test_what_snakemake_could_not_measure_is_left_out(
    tripled: WorkflowPlan, capsys: pytest.CaptureFixture[str]
) -> None:
    tile = next(iter(tripled.tiles))
    measure(f"train/{tile}", "3.0", "NA", "NA")  # it ended before the first look
    measure("train/L2-9x9x9-0123456789ab", "1.0", "100")
    text = costs(capsys)
    assert "Left out, of jobs that the grid no longer has: 1." in text
    assert rows(text)["train"][9] == "2"


@pytest.mark.parametrize("content", ["", "s\n", HEADER, HEADER + "x\ty\n", HEADER + "nan" + "\t1" * 9 + "\n"])
def test_a_damaged_measurement_is_named(
    content: str, tripled: WorkflowPlan, capsys: pytest.CaptureFixture[str]
) -> None:
    path = measure("write_report", "1", "100")
    path.write_text(content)
    text = costs(capsys)
    assert text.count("\n") == 1
    assert text.startswith(f"{path}: is no measurement; expected two lines")


def test_a_grid_that_never_ran_has_no_costs(in_tmp: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = costs(capsys, "--write")
    assert text == ("data/tiny/benchmarks: no measurements here; expected those of a run of grid.yaml; run it first\n")
    assert not Path("data").exists()


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("{", "the file: "),
        ('{"train": {"seconds": 0}}', "train.seconds: "),
        ('{"train": {"hours": 2}}', "train.hours: "),
        ('{"train": {"memory": 1e9}}', "train.memory: "),
        ("[1]", "the file: "),
    ],
)
def test_a_damaged_file_of_factors_is_one_line(content: str, what: str, in_tmp: Path) -> None:
    Path("data").mkdir()
    Path("data/costs.json").write_text(content)
    workflow = Workflow(in_tmp)
    workflow.write(TINY)
    result = workflow("--dry-run", "--", "all")
    assert result.returncode != 0
    (line,) = [line for line in result.stderr.splitlines() if "costs.json" in line]
    assert line.startswith(f"data/costs.json: {what}")
    assert "write it again with dmf costs --write, or remove it" in line
    assert "Traceback" not in result.stderr
