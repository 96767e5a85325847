"""Trains the negative controls: cells in which the paper's statements are false."""

from dmf.dataset.provenance import file_attributes
from dmf.dataset.store import write
from dmf.evidence.train_controls import train_controls
from dmf.grid.config import validate
from dmf.step import step

with step(snakemake.log[0], "controls", snakemake.input, snakemake.params.identities) as log:
    controls = train_controls(validate(snakemake.config, "configuration"))
    controls = controls.assign_attrs(
        **file_attributes("Negative controls", "Evidence where the statements are false"),
        settings=snakemake.params.settings,
    )
    write(controls, snakemake.output[0])
    log.info("%d runs", controls["certified"].size)
