"""The calls of KMS that the lab answers itself."""

from __future__ import annotations

import json

from moto.kms.exceptions import AccessDeniedException
from moto.kms.responses import KmsResponse

from engine.lab.rds.keys import find_key, lets_in


class LabKmsResponse(KmsResponse):
    """One call of KMS."""

    def describe_key(self) -> str:
        """DescribeKey: a key of another account shows itself to those whom its policy lets in."""
        named = self._get_param("KeyId")
        owner = named.split(":")[4] if named.startswith("arn:") and named.count(":") > 4 else None
        if owner in {None, self.current_account}:
            return super().describe_key()
        key = find_key(named, self.current_account, self.region)
        if key is None or key.region != self.region or not lets_in(key, self.current_account):
            message = f"The account {self.current_account} may not perform kms:DescribeKey: {named}"
            raise AccessDeniedException(message)
        return json.dumps(key.to_dict())

    def list_aliases(self) -> str:
        """ListAliases: an alias of AWS's own keys points to nothing before its key is made."""
        answer = json.loads(super().list_aliases())
        keys = self.kms_backend.keys
        for alias in answer["Aliases"]:
            if alias.get("TargetKeyId") not in keys:
                alias.pop("TargetKeyId", None)
        return json.dumps(answer)
