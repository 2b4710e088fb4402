/* The chat as a client speaks it: Socket.IO over a WebSocket. */
#ifndef CHAT_H
#define CHAT_H

#include "client.h"

/* Begin the WebSocket upgrade. */
void chat_open(struct client *client);

/* Send a message that is known by `client_id`. */
void chat_send(struct client *client, const char *client_id);

/* Handle every complete frame; return how many bytes that was. */
size_t chat_receive(struct client *client, const char *bytes, size_t length, uint64_t now);

#endif
