"""All mutants, in the order of the stages they break."""

from __future__ import annotations

from tests.mutations import applying, clustering, deciding, limiting, owning, protecting, verifying

MUTANTS = (
    *protecting.MUTANTS,
    *deciding.MUTANTS,
    *limiting.MUTANTS,
    *owning.MUTANTS,
    *verifying.MUTANTS,
    *applying.MUTANTS,
    *clustering.MUTANTS,
)
