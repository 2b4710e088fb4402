"""The services of the chat, which every edge calls: Socket.IO, HTTP."""

from dataclasses import dataclass

from parley.namespaces.chat.directory import Directory
from parley.namespaces.chat.ephemera import Ephemera
from parley.namespaces.chat.membership import MembershipService
from parley.namespaces.chat.moderation import ModerationService
from parley.namespaces.chat.reading import ReadingService
from parley.namespaces.chat.rooms import RoomService
from parley.namespaces.chat.service import MessageService
from parley.namespaces.chat.watching import Watching


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatServices:
    """What may be asked of the chat; the rules are in here and nowhere else."""

    rooms: RoomService
    membership: MembershipService
    moderation: ModerationService
    directory: Directory
    messages: MessageService
    reading: ReadingService
    ephemera: Ephemera
    watching: Watching
