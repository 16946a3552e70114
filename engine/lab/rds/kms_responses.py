"""The calls of KMS that the lab answers itself."""

from __future__ import annotations

import json

from moto.kms.responses import KmsResponse


class LabKmsResponse(KmsResponse):
    """One call of KMS."""

    def list_aliases(self) -> str:
        """ListAliases: an alias of AWS's own keys points to nothing before its key is made."""
        answer = json.loads(super().list_aliases())
        keys = self.kms_backend.keys
        for alias in answer["Aliases"]:
            if alias.get("TargetKeyId") not in keys:
                alias.pop("TargetKeyId", None)
        return json.dumps(answer)
