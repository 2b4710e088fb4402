"""What is unread, as SQL."""

SPOKEN = "type IN ('chat', 'group', 'private')"
"""The types of `models.SPOKEN`; word for word the condition of the index `spoken`."""


def unread(room_id: str, user_id: str, after: str) -> str:
    """Return two columns, messages and mentions, of what is unread behind a position.

    The arguments are SQL; each count ends at the parameter ``:most``.
    """
    return (
        "(SELECT count(*) FROM (SELECT 1 FROM log "
        f"WHERE log.room_id = {room_id} AND rev > {after} "
        f"AND {SPOKEN} AND sender <> {user_id} AND NOT deleted LIMIT :most)), "
        "(SELECT count(*) FROM (SELECT 1 FROM mentions "
        f"WHERE mentions.room_id = {room_id} AND mentions.user_id = {user_id} "
        f"AND seq > {after} LIMIT :most))"
    )
