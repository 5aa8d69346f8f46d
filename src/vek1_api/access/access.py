"""The value that says who acts; every service takes it, only this package makes it."""

from dataclasses import dataclass, replace
from enum import StrEnum


class Credential(StrEnum):
    """How the caller proved who they are."""

    SERVICE_TOKEN = "service_token"  # noqa: S105 - the name of a kind, not a token.
    SESSION = "session"
    ERP = "erp"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Access:
    """One actor's reach: the company whose id is the Better Auth user id (seed).

    ``actor_user_id`` is who is written into the audit log, none for the system itself.
    """

    company_id: str
    actor_user_id: str | None
    credential: Credential
    ip: str | None = None
    user_agent: str | None = None

    @property
    def owner(self) -> dict[str, str]:
        """Return the bind parameter that every statement of ``access.grants`` demands."""
        return {"owner_company_id": self.company_id}


def system(company_id: str, actor_user_id: str | None = None) -> Access:
    """Return the access of a job that works on a company's behalf.

    ``actor_user_id`` is who asked for the job's work, if a person did.
    """
    return Access(company_id, actor_user_id, Credential.SYSTEM)


def erp(company_id: str, ip: str | None, user_agent: str | None) -> Access:
    """Return the access of a store's ERP, which has proved that it knows the secret."""
    return Access(company_id, None, Credential.ERP, ip, user_agent)


def reported(
    access: Access, user_id: str, ip: str | None, user_agent: str | None
) -> Access:
    """Return the access of a person, as the front end reports it with its service token."""
    return replace(
        access, company_id=user_id, actor_user_id=user_id, ip=ip, user_agent=user_agent
    )
