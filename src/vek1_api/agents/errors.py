"""What can go wrong with an agent."""

from uuid import UUID

from vek1_api.core.errors import NotFoundError


class AgentNotFoundError(NotFoundError):
    """The actor's company has no such agent."""

    def __init__(self, agent_id: UUID) -> None:
        super().__init__("agent", agent_id)
