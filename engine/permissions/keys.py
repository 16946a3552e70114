"""What keys of KMS must allow: statements of role policies, and of the keys' own policies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from engine.aws.roles import Purpose, role_arn
from engine.documents.model import Estate
from engine.inventory.convert import partition_of
from engine.inventory.records import Location
from engine.permissions.arns import Breadth, alias_arn, alias_name, key_arns
from engine.permissions.operations import GRANT, USE_OF_KEYS
from engine.permissions.statements import Conditions, Statement
from engine.permissions.ways import Ways, account_of

# RDS makes the grants, for itself (KMS Developer Guide, kms:GrantIsForAWSResource).
_FOR_RDS: Conditions = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
_GRANTS = "so that RDS may use them while it copies; a grant to anybody else is refused"


@dataclass(frozen=True, slots=True, order=True)
class NamedKey:
    """A key that the documents name, by ARN or alias, and where it lies."""

    at: Location
    reference: str


def keys_made_under(account: str, estate: Estate, ways: Ways) -> tuple[NamedKey, ...]:
    """Return the keys that an account's role encrypts copies and bridges under."""
    found = {NamedKey(way.there, way.key) for way in ways.copies if way.there.account == account}
    rekey = account_of(estate, account).rekey
    if rekey is not None:
        leaving = [way for way in ways.copies if way.leaves_account and not way.hub_key]
        homes = {way.home for way in leaving if way.home.account == account}
        found |= {NamedKey(home, rekey) for home in homes}
    return tuple(sorted(found))


def keys_written_under(account: str, estate: Estate, ways: Ways) -> tuple[NamedKey, ...]:
    """Return the keys of copies and bridges, and of automated backups that are replicated."""
    received = {
        NamedKey(way.there, way.key) for way in ways.replications if way.there.account == account
    }
    return tuple(sorted({*keys_made_under(account, estate, ways), *received}))


def homes_read_by(account: str, estate: Estate, ways: Ways) -> tuple[Location, ...]:
    """Return the places whose snapshots, and so whose keys, an account's role reads from."""
    found = {way.home for way in ways.copies if way.there.account == account}
    found |= {key.at for key in keys_made_under(account, estate, ways)} & {
        way.home for way in ways.copies if way.leaves_account
    }
    found |= {at for at in ways.seeds if at.account == account}
    return tuple(sorted(found))


def _own_hubs(account: str, ways: Ways) -> set[Location]:
    """Return where an account reads nothing but its own copies, whose keys it may use anyway."""
    hubs = {way.home for way in ways.copies if way.hub_key and way.home.account == account}
    return hubs - {way.home for way in ways.copies if not way.hub_key} - ways.seeds


def role_statements(
    account: str, estate: Estate, ways: Ways, breadth: Breadth
) -> Iterator[Statement]:
    """Yield what the role of an account needs to use keys."""
    named = keys_written_under(account, estate, ways)
    arns = tuple(sorted({one.reference for one in named if alias_name(one.reference) is None}))
    aliased = [one for one in named if alias_name(one.reference) is not None]
    aliases = sorted({name for one in aliased if (name := alias_name(one.reference))})
    by_alias: Conditions = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": aliases}}
    sent = {way.home for way in ways.replications if way.home.account == account}
    read = set(homes_read_by(account, estate, ways)) - _own_hubs(account, ways)
    origins = key_arns({*read, *sent}, breadth)
    groups: tuple[tuple[str, str, tuple[str, ...], Conditions], ...] = (
        ("KeysOfCopies", "copies made here are encrypted under these keys", arns, {}),
        (
            "AliasedKeysOfCopies",
            "copies made here are encrypted under the keys behind these aliases",
            key_arns((one.at for one in aliased), breadth),
            by_alias,
        ),
        (
            "KeysOfOrigins",
            "what is copied is encrypted under its database's key, which no document names",
            origins,
            {},
        ),
    )
    for name, reason, resources, conditions in groups:
        if resources:
            yield Statement(f"Use{name}", reason, USE_OF_KEYS, resources, conditions)
            grant = {**conditions, **_FOR_RDS}
            yield Statement(f"Grant{name}", _GRANTS, (GRANT,), resources, grant)


def policies_of_keys(
    account: str, estate: Estate, ways: Ways
) -> Mapping[str, tuple[Statement, ...]]:
    """Return, for each key of an account, what its own policy must say besides what it says now.

    By the key's ARN, or its alias's; `…:key/*` stands for every key that databases to be copied
    are encrypted under, which the documents do not name.
    """
    users: defaultdict[str, set[str]] = defaultdict(set)
    for key in keys_written_under(account, estate, ways):
        users[alias_arn(key.reference, key.at)].add(account)
    rekey = account_of(estate, account).rekey
    for way in ways.copies:
        if way.leaves_account and way.home.account == account:
            if way.hub_key:
                users[alias_arn(way.hub_key, way.home)].add(way.there.account)
                continue
            users[key_arns([way.home], Breadth.LISTED)[0]].add(way.there.account)
            if rekey is not None:
                users[alias_arn(rekey, way.home)].add(way.there.account)
    for at in ways.seeds:
        if at.account == account:
            users[key_arns([at], Breadth.LISTED)[0]].add(account)
    return {
        key: _statements_of(_principals(users[key], account, estate, ways)) for key in sorted(users)
    }


def _statements_of(principals: tuple[str, ...]) -> tuple[Statement, ...]:
    use = "they copy snapshots from or to what is under this key"
    grant = "RDS uses the key by a grant that they make; a grant to anybody else is refused"
    return (
        Statement("EngineUsesKey", use, USE_OF_KEYS, ("*",), principals=principals),
        Statement("EngineGrantsKeyToRds", grant, (GRANT,), ("*",), _FOR_RDS, principals),
    )


def _principals(accounts: Iterable[str], own: str, estate: Estate, ways: Ways) -> tuple[str, ...]:
    return tuple(principal_of(account, estate, ways) for account in sorted(accounts))


def principal_of(account: str, estate: Estate, ways: Ways) -> str:
    """Return who works in an account: its role, or the account where no role is named."""
    region = ways.regions(account)[0]
    role = role_arn(account_of(estate, account), Purpose.CHANGE, region)
    return role or f"arn:{partition_of(region)}:iam::{account}:root"
