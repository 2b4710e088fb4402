"""What more than one query says of rows of the log, as SQL."""

SPOKEN = "type IN ('chat', 'group', 'private')"
"""The types of `models.SPOKEN`; word for word the condition of the index `spoken`."""


def undeleted(room_id: str) -> str:
    """Return the room's id, or what is equal to none if it was deleted.

    Rows of a deleted room are left until they are swept away, and must not show. Who comes to
    rows by a membership needs none of this: those of a deleted room have ended.
    """
    return f"(SELECT room_id FROM rooms WHERE rooms.room_id = {room_id} AND NOT rooms.deleted)"


def unread(room_id: str, user_id: str, after: str, upto: str | None = None) -> str:
    """Return two columns, messages and mentions, of what is unread behind a position.

    The arguments are SQL; each count ends at the parameter ``:most``.
    """
    rev_end, seq_end = (f"AND {name} <= {upto} " if upto else "" for name in ("rev", "seq"))
    return (
        "(SELECT count(*) FROM (SELECT 1 FROM log "
        f"WHERE log.room_id = {room_id} AND rev > {after} "
        f"{rev_end}AND {SPOKEN} AND sender <> {user_id} AND NOT deleted LIMIT :most)), "
        "(SELECT count(*) FROM (SELECT 1 FROM mentions "
        f"WHERE mentions.room_id = {room_id} AND mentions.user_id = {user_id} "
        f"AND seq > {after} {seq_end}LIMIT :most))"
    )
