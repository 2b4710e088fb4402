/* One client: its part of the protocols. */
#ifndef MEMBER_H
#define MEMBER_H

#include "crowd.h"

/* Begin on a connected, non-blocking socket. */
void member_open(struct member *member, int fd);

/* Take what the socket has. */
void member_receive(struct member *member);

/* Send `TYPE["EVENT","ARGUMENT"]`; TYPE is "42", or "42ID" where an ack is wanted. */
void member_send(struct member *member, const char *type, const char *event, const char *argument);

#endif
