/* TCP: connections that do not wait when they read, but do when they write. */
#ifndef SOCKET_H
#define SOCKET_H

#include <netdb.h>
#include <stddef.h>

/* Return a connected, non-blocking socket, or exit with a message. */
int socket_connect(const struct addrinfo *address);

/* Send everything; what a broken connection does not take is left out. */
void socket_send(int fd, const char *bytes, size_t length);

#endif
