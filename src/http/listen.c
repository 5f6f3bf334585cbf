// SPDX-License-Identifier: MIT
#include "http/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"

#define BACKLOG 128
#define UNIX_PREFIX "unix:"

/* ---- addresses -------------------------------------------------------------------------------- */

static struct err *bad_address(const char *text)
{
	return err_new(ERR_USAGE,
		"bad address '%s'; give 127.0.0.1:7070, [::1]:7070, :7070 for every address, or "
		"unix:/path",
		text);
}

/* "host:port" in two; the port in numbers. */
static struct err *split(const char *text, char **host_ret, unsigned int *port_ret)
{
	const char *colon = strrchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : 0;
	char *end;

	if (!colon || colon[1] < '0' || colon[1] > '9')
		return bad_address(text);
	unsigned long port = strtoul(colon + 1, &end, 10);
	bool bracketed = len > 2 && text[0] == '[' && text[len - 1] == ']';
	if (*end || port > 65535 || (!bracketed && memchr(text, ':', len)))
		return bad_address(text);
	*host_ret = bracketed ? xstrndup(text + 1, len - 2) : xstrndup(text, len);
	*port_ret = (unsigned int)port;
	return NULL;
}

static bool is_loopback(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET) {
		struct sockaddr_in four;

		memcpy(&four, address, sizeof(four));
		return ntohl(four.sin_addr.s_addr) >> 24 == 127;
	}
	struct sockaddr_in6 six;
	memcpy(&six, address, sizeof(six));
	return IN6_IS_ADDR_LOOPBACK(&six.sin6_addr);
}

/* Names but localhost are looked up: also those of this machine's own addresses. */
static struct err *resolve(const char *text, struct addrinfo **ret)
{
	const struct addrinfo hints = {
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM
	};
	_cleanup_free_ char *host = NULL, *service = NULL;
	unsigned int port = 0;
	struct err *err = split(text, &host, &port);

	if (err)
		return err;
	// by name it may be either kind, and browsers try one only
	const char *name = strcmp(host, "localhost") == 0 ? "127.0.0.1" : host;
	if (strcmp(name, "*") == 0 || !*name)
		name = "0.0.0.0";
	service = xasprintf("%u", port);
	int status = getaddrinfo(name, service, &hints, ret);
	return status ? err_new(ERR_USAGE, "cannot listen on '%s': %s", text,
				 status == EAI_SYSTEM ? strerror(errno) : gai_strerror(status))
		      : NULL;
}

struct err *listen_is_local(const char *text, bool *local_ret)
{
	struct addrinfo *found;

	*local_ret = true;
	if (strncmp(text, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0)
		return NULL;
	struct err *err = resolve(text, &found);
	if (err)
		return err;
	*local_ret = is_loopback(found->ai_addr);
	freeaddrinfo(found);
	return NULL;
}

/* ---- sockets ---------------------------------------------------------------------------------- */

static struct err *refused(const char *text, int errnum)
{
	struct err *err = err_errno(errnum, "cannot listen on '%s'", text);

	err->kind = ERR_FAILED; // not the permission that reading a process lacks
	if (errnum == EADDRINUSE)
		return err_suffix(err, "; give another --listen, or port 0 for any free one");
	return err;
}

static void learn_address(struct listener *l)
{
	struct sockaddr_storage address = { 0 };
	socklen_t len = sizeof(address);
	char host[NI_MAXHOST] = "?", port[NI_MAXSERV] = "0";

	getsockname(l->fd, (struct sockaddr *)&address, &len);
	getnameinfo((struct sockaddr *)&address, len, host, sizeof(host), port, sizeof(port),
		NI_NUMERICHOST | NI_NUMERICSERV);
	l->port = (unsigned int)strtoul(port, NULL, 10);
	l->authority = xasprintf(strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
}

static struct err *listen_tcp(struct listener *l, const char *text)
{
	struct addrinfo *found;
	int on = 1;
	struct err *err = resolve(text, &found);

	if (err)
		return err;
	l->local = is_loopback(found->ai_addr);
	l->fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	// a server that was just ended must not keep its port for minutes
	if (l->fd >= 0)
		setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (l->fd < 0 || bind(l->fd, found->ai_addr, found->ai_addrlen) != 0 ||
		listen(l->fd, BACKLOG) != 0)
		err = refused(text, errno);
	freeaddrinfo(found);
	if (!err)
		learn_address(l);
	return err;
}

/* A socket's file that is left of a server that was killed. */
static bool is_abandoned(const struct sockaddr_un *address)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct stat st;

	return lstat(address->sun_path, &st) == 0 && S_ISSOCK(st.st_mode) && fd >= 0 &&
		connect(fd, (const struct sockaddr *)address, sizeof(*address)) != 0 &&
		errno == ECONNREFUSED;
}

static bool bind_private(int fd, const struct sockaddr_un *address)
{
	mode_t mask = umask(0177);
	bool bound = bind(fd, (const struct sockaddr *)address, sizeof(*address)) == 0;
	int errnum = errno;

	umask(mask);
	errno = errnum;
	return bound;
}

static struct err *listen_unix(struct listener *l, const char *text)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *path = text + strlen(UNIX_PREFIX);

	if (!*path || strlen(path) >= sizeof(address.sun_path))
		return err_new(ERR_USAGE, "bad address '%s'; the path of a unix socket has 1 to %zu "
					  "characters",
			text, sizeof(address.sun_path) - 1);
	memcpy(address.sun_path, path, strlen(path));
	l->is_unix = l->local = true;
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd >= 0 && is_abandoned(&address))
		unlink(path);
	if (l->fd < 0 || !bind_private(l->fd, &address))
		return refused(text, errno);
	l->unlink_path = xstrdup(path);
	l->authority = xstrdup(path);
	return listen(l->fd, BACKLOG) == 0 ? NULL : refused(text, errno);
}

struct err *listen_open(struct listener *l, const char *text)
{
	*l = (struct listener){ .fd = -1 };
	bool is_unix = strncmp(text, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0;
	struct err *err = is_unix ? listen_unix(l, text) : listen_tcp(l, text);

	if (err)
		listen_close(l);
	return err;
}

void listen_close(struct listener *l)
{
	if (l->fd >= 0)
		close(l->fd);
	if (l->unlink_path)
		unlink(l->unlink_path);
	free(l->authority);
	free(l->unlink_path);
	*l = (struct listener){ .fd = -1 };
}
