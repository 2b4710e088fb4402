#include "post.h"

#include "socket.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char BODY[] = "{\"content\":" CONTENT "}";

void post_send(struct client *client, const char *client_id)
{
    char request[REQUEST_SIZE];
    int length = snprintf(request, sizeof request,
                          "POST /api/v1/messages/rooms/%s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n"
                          "Idempotency-Key: %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                          client->seat->room, client->host, client->seat->token, client_id, sizeof BODY - 1, BODY);
    if (length >= REQUEST_SIZE)
        errx(1, "a request of %d bytes to send", length);
    socket_send(client->fd, request, (size_t)length);
}

/* Every answer of our server tells its length; without it nobody would know where it ends. */
static size_t body_length(const char *head, const char *end)
{
    static const char NAME[] = "\r\nContent-Length:";
    for (const char *line = head; line < end; line = strstr(line + 2, "\r\n"))
        if (strncasecmp(line, NAME, sizeof NAME - 1) == 0)
            return strtoul(line + sizeof NAME - 1, NULL, 10);
    errx(1, "an answer without Content-Length: %.*s", (int)strcspn(head, "\r\n"), head);
}

/* Return the size of the complete answer at the start of `bytes`, 0 if more is needed. */
static size_t answer_size(const char *bytes, size_t length)
{
    const char *end = memmem(bytes, length, "\r\n\r\n", 4);
    if (end == NULL)
        return 0;
    size_t size = (size_t)(end - bytes) + 4 + body_length(bytes, end);
    return size <= length ? size : 0;
}

size_t post_receive(struct client *client, const char *bytes, size_t length, uint64_t now)
{
    static const char CREATED[] = "HTTP/1.1 201 ";
    size_t done = 0, size;
    while ((size = answer_size(bytes + done, length - done)) > 0) {
        const char *answer = bytes + done;
        client_acked(client, strncmp(answer, CREATED, sizeof CREATED - 1) == 0, answer, size, now);
        done += size;
    }
    return done;
}
