/* Sending over HTTP: one request in flight on a connection that is kept. */
#ifndef POST_H
#define POST_H

#include "client.h"

/* Send a message that is known by `client_id`. */
void post_send(struct client *client, const char *client_id);

/* Handle every complete answer; return how many bytes that was. */
size_t post_receive(struct client *client, const char *bytes, size_t length, uint64_t now);

#endif
