"""What aiokafka lets a member do that its group has thrown out."""

from collections.abc import Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import UnknownMemberIdError


def refuse_commits_of_strangers(consumer: AIOKafkaConsumer) -> None:
    """Let ``consumer``, which has started, commit as a member of its group or not at all.

    A consumer that was frozen and is thrown out forgets its generation until it has joined again.
    A commit on its way then is sent without one (aiokafka 0.14, ``commit_offsets`` waits for the
    coordinator first), and a broker grants such a commit to anybody while the group is empty: the
    offset would go back behind what another member has done. And a commit that a broker could not
    take for a moment is tried again for ever, each time as the member that we are by then: it could
    be of a partition that was given to another meanwhile. There is no public place to ask.
    """
    coordinator: Any = consumer._coordinator
    send = coordinator._do_commit_offsets

    async def commit(assignment: Any, offsets: Mapping[Any, Any]) -> None:
        if coordinator.generation < 0 or not assignment.active:
            raise UnknownMemberIdError(coordinator.group_id)
        await send(assignment, offsets)

    coordinator._do_commit_offsets = commit
