// SPDX-License-Identifier: MIT
/*
 * Where a server listens: "127.0.0.1:7070", "[::1]:7070", "localhost:7070", ":7070" (every address),
 * "unix:/run/app.sock". Port 0 is any free one.
 */
#ifndef FIREGLASS_HTTP_LISTEN_H
#define FIREGLASS_HTTP_LISTEN_H

#include <stdbool.h>

#include "base/err.h"

struct listener {
	int fd;            // -1: none
	bool local;        // only this machine can reach it
	bool is_unix;
	unsigned int port; // as it is, also if 0 was asked for
	char *authority;   // for people and URLs: "127.0.0.1:7070"; of a unix socket its path
	char *unlink_path; // the socket's file, which is ours to remove
};

/* Whether what is written there can be reached from this machine only; an error if it is no address. */
struct err *listen_is_local(const char *text, bool *local_ret);

/* A unix socket is for this user only (mode 0600); one that nobody listens at any more is replaced. */
struct err *listen_open(struct listener *l, const char *text);
void listen_close(struct listener *l);

#endif
