"""Who may do what in which room: the grid that `test_rights` holds the services to.

Written from what docs/protocol.md promises, not from the code. Columns are kinds of rooms, or the
people something is done to (for messages: their authors). A row with one word means all columns.

=================  ============================================================================
public, unlisted   a public room; one with ``is_private``
ok                 it is done; what writes, has written one row
same               acked, and nothing was written, for it is so already
asks               she is ``pending`` from now on, and the owner and admins may let her in
denied, gone       the ``state`` in what `sync` answers
.                  cannot be asked
anything else      the code of the error
=================  ============================================================================

What a block's ``if`` names is in `cast.SETTINGS`. Under a setting everything is as without it, but
for the rows that stand there. In a direct room nobody has a role, an invitation or a ban.
"""

GRID = """
# Of somebody outside, and in direct rooms, where no block below says another thing

[anything]
                            public     unlisted   private    group      direct
invited, pending            forbidden
banned, stranger            forbidden  not_found  not_found  not_found  not_found

[anything | in direct]
                            direct
member                      forbidden

# What is said

[chat, group]
                            public     unlisted   private    group      direct
owner, admin                ok
member                      ok         ok         ok         ok         forbidden
muted admin, muted member   muted

[private]
                            public     unlisted   private    group      direct
member                      .          .          .          .          ok
owner, admin, muted admin   .
muted member                .
invited, pending            .
banned, stranger            .

[typing, signal]
                            public     unlisted   private    group      direct
owner, admin, member        ok
muted admin, muted member   muted

[react]
                            public     unlisted   private    group      direct
owner, admin, member        ok
muted admin, muted member   muted
invited, pending            not_found
banned, stranger            not_found

[edit_message]
                     owner     admin     member    invited   pending   banned    stranger  self
owner                .         forbidden forbidden forbidden forbidden forbidden forbidden ok
admin, member        forbidden forbidden forbidden forbidden forbidden forbidden forbidden ok
muted admin          muted
muted member         muted
invited, pending     not_found
banned, stranger     not_found

[delete_message]
                     owner     admin     member    invited   pending   banned    stranger  self
owner                .         ok        ok        ok        ok        ok        ok        ok
admin, muted admin   forbidden forbidden ok        ok        ok        ok        ok        ok
member               forbidden forbidden forbidden forbidden forbidden forbidden forbidden ok
muted member         forbidden forbidden forbidden forbidden forbidden forbidden forbidden ok
invited, pending     not_found
banned, stranger     not_found

[chat, group, typing, signal, react | if mute_all]
                            public     unlisted   private    group      direct
member                      muted

[edit_message | if mute_all]
                     owner     admin     member    invited   pending   banned    stranger  self
member               muted

[chat, group | if only_images]
                            public     unlisted   private    group      direct
owner, admin, member        rejected_content

[edit_message | if only_images]
                     self
owner, admin         rejected_content
member               rejected_content

# What is read

[read, members]
                            public     unlisted   private    group      direct
owner, admin, member        ok
muted admin, muted member   ok

[members waiting]
                            public     unlisted   private    group      direct
owner, admin, muted admin   ok
member, muted member        forbidden

[history]
                            public     unlisted   private    group      direct
owner, admin, member        ok
muted admin, muted member   ok
invited, pending            ok         forbidden  forbidden  forbidden  .
stranger                    ok         not_found  not_found  not_found  not_found

[room]
                            public     unlisted   private    group      direct
owner, admin, member        ok
muted admin, muted member   ok
invited, pending            ok
stranger                    ok         not_found  not_found  not_found  not_found

[sync]
                            public     unlisted   private    group      direct
owner, admin, member        ok
muted admin, muted member   ok
invited, pending            denied     gone       gone       gone       .
banned, stranger            denied     gone       gone       gone       gone

[watch]
                            public     unlisted   private    group      direct
owner, admin, member        same
muted admin, muted member   same
invited, pending            ok         forbidden  forbidden  forbidden  .
stranger                    ok         not_found  not_found  not_found  not_found

[unwatch]
                            public     unlisted   private    group      direct
owner, admin, member        same
muted admin, muted member   same
invited, pending            same
banned, stranger            same

# Who comes in, and who goes

[join_room]
                            public     unlisted   private    group      direct
owner, admin, member        same
muted admin, muted member   same
invited                     ok
pending                     ok         forbidden  forbidden  forbidden  .
stranger                    ok         not_found  not_found  not_found  not_found

[join_room | if require_approval]
                            public     unlisted   private    group      direct
pending                     same
stranger                    asks       asks       asks       asks       .

[join_room | if full]
                            public     unlisted   private    group      direct
invited                     room_full
pending                     room_full  forbidden  forbidden  forbidden  .
stranger                    room_full  not_found  not_found  not_found  .

[leave_room]
                            public     unlisted   private    group      direct
owner, admin                ok
member                      ok         ok         ok         ok         forbidden
muted admin, muted member   ok
invited, pending            ok
banned, stranger            same

[invite | in public, group]
                     owner     admin     member    invited   pending   banned    stranger  self
owner, admin         same      same      same      same      ok        conflict  ok        same
muted admin          same      same      same      same      ok        conflict  ok        same
member               same      same      same      same      same      conflict  ok        same
muted member         same      same      same      same      same      conflict  ok        same

[invite | in unlisted, private]
                     owner     admin     member    invited   pending   banned    stranger  self
owner, admin         same      same      same      same      ok        conflict  ok        same
muted admin          same      same      same      same      ok        conflict  ok        same
member               forbidden
muted member         forbidden

[invite | in public | if require_approval]
                     owner     admin     member    invited   pending   banned    stranger  self
member               forbidden
muted member         forbidden

[invite | if full]
                     owner     admin     member    invited   pending   banned    stranger  self
owner, admin         same      same      same      same      room_full conflict  ok        same
muted admin          same      same      same      same      room_full conflict  ok        same

[approve]
                     owner     admin     member    invited   pending   banned    stranger  self
owner, admin         same      same      same      not_found ok        not_found not_found same
muted admin          same      same      same      not_found ok        not_found not_found same
member               forbidden
muted member         forbidden

[approve | if full]
                     owner     admin     member    invited   pending   banned    stranger  self
owner, admin         same      same      same      not_found room_full not_found not_found same
muted admin          same      same      same      not_found room_full not_found not_found same

# What owner and admins do

[kick]
                     owner     admin     member    invited   pending   banned    stranger  self
owner                .         ok        ok        ok        ok        same      same      forbidden
admin, muted admin   forbidden forbidden ok        ok        ok        same      same      forbidden
member               forbidden
muted member         forbidden

[ban]
                     owner     admin     member    invited   pending   banned    stranger  self
owner                .         ok        ok        ok        ok        same      ok        forbidden
admin, muted admin   forbidden forbidden ok        ok        ok        same      ok        forbidden
member               forbidden
muted member         forbidden

[unban]
                     owner     admin     member    invited   pending   banned    stranger  self
owner, admin         same      same      same      same      same      ok        same      same
muted admin          same      same      same      same      same      ok        same      same
member               forbidden
muted member         forbidden

[mute]
                     owner     admin     member    invited   pending   banned    stranger  self
owner                .         ok        ok        not_found not_found not_found not_found forbidden
admin, muted admin   forbidden forbidden ok        not_found not_found not_found not_found forbidden
member               forbidden
muted member         forbidden

[mute off]
                     owner     admin     member    invited   pending   banned    stranger  self
owner                .         same      same      not_found not_found not_found not_found forbidden
admin, muted admin   forbidden forbidden same      not_found not_found not_found not_found forbidden
member               forbidden
muted member         forbidden

[set_role admin]
                     owner     admin     member    invited   pending   banned    stranger  self
owner                .         same      ok        not_found not_found not_found not_found forbidden
admin, muted admin   forbidden
member               forbidden
muted member         forbidden

[set_role member]
                     owner     admin     member    invited   pending   banned    stranger  self
owner                .         ok        same      not_found not_found not_found not_found forbidden
admin, muted admin   forbidden
member               forbidden
muted member         forbidden

[set_role owner]
                     owner     admin     member    invited   pending   banned    stranger  self
owner                .         ok        ok        not_found not_found not_found not_found forbidden
admin, muted admin   forbidden
member               forbidden
muted member         forbidden

[update_room]
                            public     unlisted   private    group      direct
owner, admin, muted admin   ok
member, muted member        forbidden

[update_room unchanged]
                            public     unlisted   private    group      direct
owner, admin, muted admin   same
member, muted member        forbidden

[update_room stale]
                            public     unlisted   private    group      direct
owner, admin, muted admin   conflict
member, muted member        forbidden

[delete_room]
                            public     unlisted   private    group      direct
owner                       ok
admin, muted admin          forbidden
member, muted member        forbidden
"""
