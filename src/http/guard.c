// SPDX-License-Identifier: MIT
#include "http/guard.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#define NS_PER_SECOND ((uint64_t)1000000000)
#define HOST_MAX 256

/* ---- names ------------------------------------------------------------------------------------ */

static bool is_port(const char *s)
{
	size_t digits = strspn(s, "0123456789");

	return digits > 0 && digits <= 5 && !s[digits];
}

/* "name:port", "[address]:port": the name, without brackets. False if it is nothing of the kind. */
static bool split_host(const char *host, char name[HOST_MAX], bool *bracketed_ret)
{
	bool bracketed = *host == '[';
	const char *begin = host + bracketed;
	size_t len = strcspn(begin, bracketed ? "]" : ":");
	const char *rest = begin + len;

	if (!len || len >= HOST_MAX || (bracketed && *rest++ != ']'))
		return false;
	if (*rest && (*rest != ':' || !is_port(rest + 1)))
		return false;
	memcpy(name, begin, len);
	name[len] = 0;
	*bracketed_ret = bracketed;
	return true;
}

static bool is_loopback6(const struct in6_addr *address)
{
	// 127.0.0.0/8 as IPv6 has it
	return IN6_IS_ADDR_LOOPBACK(address) ||
		(IN6_IS_ADDR_V4MAPPED(address) && address->s6_addr[12] == 127);
}

static bool is_allowed_address(const struct guard_names *names, const char *name, bool bracketed)
{
	struct in_addr four;
	struct in6_addr six;

	if (bracketed)
		return inet_pton(AF_INET6, name, &six) == 1 &&
			(names->any_address || is_loopback6(&six));
	return inet_pton(AF_INET, name, &four) == 1 &&
		(names->any_address || ntohl(four.s_addr) >> 24 == 127);
}

bool guard_host(const struct guard_names *names, const char *host)
{
	char name[HOST_MAX];
	bool bracketed;

	if (!host || !split_host(host, name, &bracketed))
		return false;
	if (is_allowed_address(names, name, bracketed))
		return true;
	if (bracketed)
		return false;
	if (strcasecmp(name, "localhost") == 0)
		return true;
	for (size_t i = 0; i < names->count; i++)
		if (strcasecmp(name, names->names[i]) == 0)
			return true;
	return false;
}

/* ---- browsers --------------------------------------------------------------------------------- */

bool guard_origin(const char *origin, const char *host)
{
	static const char scheme[] = "http://";

	if (!origin)
		return true;
	return host && strncasecmp(origin, scheme, strlen(scheme)) == 0 &&
		strcasecmp(origin + strlen(scheme), host) == 0;
}

bool guard_fetch(const char *site, const char *mode, bool link)
{
	if (!site || strcmp(site, "same-origin") == 0 || strcmp(site, "none") == 0)
		return true;
	return link && mode && strcmp(mode, "navigate") == 0;
}

/* ---- tokens ----------------------------------------------------------------------------------- */

bool guard_token(const char *wanted, const char *given)
{
	if (!given)
		return false;
	size_t len = strlen(wanted), given_len = strlen(given);
	unsigned char differ = len != given_len;

	// also of another length, so that the length is not told either
	for (size_t i = 0; i < given_len; i++)
		differ |= (unsigned char)(given[i] ^ (len ? wanted[i % len] : 1));
	// not to be seen through by a compiler
	__asm__ volatile("" : "+r"(differ));
	return !differ;
}

const char *guard_bearer(const char *authorization)
{
	static const char scheme[] = "Bearer ";

	if (!authorization || strncasecmp(authorization, scheme, strlen(scheme)) != 0)
		return NULL;
	authorization += strlen(scheme);
	return authorization + strspn(authorization, " ");
}

/* ---- rates ------------------------------------------------------------------------------------ */

bool guard_rate_take(struct guard_rate *r, uint64_t now_ns)
{
	if (!r->per_second)
		return true;
	uint64_t one_ns = NS_PER_SECOND / r->per_second;
	uint64_t elapsed_ns = now_ns > r->last_ns ? now_ns - r->last_ns : 0;

	r->used_ns = r->used_ns > elapsed_ns ? r->used_ns - elapsed_ns : 0;
	r->last_ns = now_ns;
	if (r->used_ns + one_ns > r->burst * one_ns)
		return false;
	r->used_ns += one_ns;
	return true;
}
