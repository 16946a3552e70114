from collections.abc import Iterator, Mapping
from engine.documents.diagnostics import Diagnostic
from engine.documents.model import Estate, Policy
from engine.documents.sources import Sources
def check_documents(estate: Estate, policies: Mapping[str, Policy], sources: Sources) -> Iterator[Diagnostic]:
    yield from ()
