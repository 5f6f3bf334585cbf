// SPDX-License-Identifier: MIT
/*
 * Who may ask: what is decided of a request before anything is done for it. Pure functions of texts
 * that strangers send, and of a clock.
 *
 * A browser lets any page send requests to this machine; what tells such a page from the user is the
 * name it uses for us (Host; a name of its own that leads here is DNS rebinding), and where it comes
 * from (Origin, Sec-Fetch-Site).
 */
#ifndef FIREGLASS_HTTP_GUARD_H
#define FIREGLASS_HTTP_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GUARD_NAMES_MAX 16

/* Under which names we may be called. */
struct guard_names {
	const char *names[GUARD_NAMES_MAX]; // beside the following, any port
	size_t count;
	bool any_address; // any number of a network address; else only those of loopback
};

/*
 * The Host header: "localhost", an address in numbers, or one of the names, with or without a port.
 * An address in numbers cannot be led elsewhere by a name server, so that these are harmless.
 */
bool guard_host(const struct guard_names *names, const char *host);

/* The Origin header, NULL if there is none: our own, under the name in Host. */
bool guard_origin(const char *origin, const char *host);

/*
 * What browsers say of where a request comes from; each NULL if not said. False: from another site's
 * page, unless `link` and somebody followed a link.
 */
bool guard_fetch(const char *site, const char *mode, bool link);

/*
 * Whether the token is the right one; takes the same time for all that are of one length, whatever
 * they have in common.
 */
bool guard_token(const char *wanted, const char *given);

/* The token of an Authorization header ("Bearer TOKEN"); NULL if it has none. */
const char *guard_bearer(const char *authorization);

/* So many a second, and `burst` at once. Zero-initialise but for these. */
struct guard_rate {
	uint32_t per_second; // 0: no limit
	uint32_t burst;
	uint64_t last_ns; // of the clock that is asked with
	uint64_t used_ns; // of the burst, in time
};

/* True if one more may be. Not for several threads at once. */
bool guard_rate_take(struct guard_rate *r, uint64_t now_ns);

#endif
