"""Makes the evidence of one study."""

from dmf.dataset.provenance import file_attributes
from dmf.dataset.store import write
from dmf.grid.config import validate
from dmf.step import step
from dmf.studies import load_study
from dmf.studies.contract import check_study

with step(snakemake.log[0], "study", snakemake.input, snakemake.params.identities) as log:
    study = load_study(snakemake.wildcards.study)
    evidence = study.make_for(validate(snakemake.config, "configuration"))
    evidence = evidence.assign_attrs(**file_attributes(study.title, study.summary), settings=snakemake.params.settings)
    check_study(evidence, snakemake.output[0])
    write(evidence, snakemake.output[0])
    log.info("%d of %d cases certified", int(evidence["certified"].sum()), evidence["certified"].size)
