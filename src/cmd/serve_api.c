// SPDX-License-Identifier: MIT
/* The table of routes, and who may take them. */
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cmd/serve.h"

struct route {
	const char *method, *path;
	serve_route *answer;
};

static const struct route routes[] = {
	{ "GET", "/", serve_page },
	{ "GET", "/api/v1/status", serve_status },
	{ "POST", "/api/v1/start", serve_start },
	{ "POST", "/api/v1/stop", serve_stop },
	{ "GET", "/api/v1/captures", serve_list },
	{ "POST", "/api/v1/captures", serve_save },
	{ "GET", "/api/v1/captures/", serve_fetch },
	{ "DELETE", "/api/v1/captures/", serve_delete },
	{ "GET", "/api/v1/profile", serve_profile },
	{ "GET", "/api/v1/stream", serve_stream },
	{ "GET", "/debug/pprof/", serve_pprof_index },
	{ "GET", "/debug/pprof/profile", serve_pprof },
	{ "GET", "/debug/pprof/cmdline", serve_pprof_cmdline },
	{ "GET", "/folded", serve_folded },
	{ "GET", "/metrics", serve_metrics },
	{ "GET", "/openapi.yaml", serve_openapi },
};

#define CAPTURES "/api/v1/captures/"

/* ---- who may ---------------------------------------------------------------------------------- */

static bool is_too_fast(struct serve *s)
{
	pthread_mutex_lock(&s->rate_lock);
	bool may = guard_rate_take(&s->rate, clock_now_ns());
	pthread_mutex_unlock(&s->rate_lock);
	return !may;
}

/* In a header, or for what can only be given an address in the address. */
static bool has_token(const struct serve *s, const struct http_request *r)
{
	const char *given = guard_bearer(http_header(r, "Authorization"));

	return !s->token || guard_token(s->token, given ? given : http_parameter(r, "token"));
}

static bool is_from_elsewhere(const struct http_request *r)
{
	bool link = strcmp(http_method(r), "GET") == 0 && strcmp(http_path(r), "/") == 0;

	return !guard_origin(http_header(r, "Origin"), http_header(r, "Host")) ||
		!guard_fetch(http_header(r, "Sec-Fetch-Site"), http_header(r, "Sec-Fetch-Mode"),
			link);
}

/* False: it was answered. */
static bool may(struct serve *s, struct http_request *r)
{
	if (is_too_fast(s)) {
		http_answer_header(r, "Retry-After", "1");
		reply_error(r, 429, "too many requests; at most %u a second", s->rate.per_second);
	} else if (!guard_host(&s->names, http_header(r, "Host"))) {
		reply_error(r, 403, "this is not served under that name; if it should be, start "
				    "with --host NAME");
	} else if (is_from_elsewhere(r)) {
		reply_error(r, 403, "requests from pages of other sites are not answered");
	} else if (!has_token(s, r)) {
		http_answer_header(r, "WWW-Authenticate", "Bearer realm=\"fireglass\"");
		reply_error(r, 401, "the token is missing or wrong; it is in the address that "
				    "'fireglass serve' printed, as ?token=..., or give it as "
				    "'Authorization: Bearer TOKEN'");
	} else {
		return true;
	}
	atomic_fetch_add(&s->refused, 1);
	return false;
}

/* ---- where to --------------------------------------------------------------------------------- */

/* What is left of the path, NULL: the route is not for it. */
static const char *match(const struct route *route, const char *path)
{
	if (strcmp(route->path, path) == 0 && strcmp(route->path, CAPTURES) != 0)
		return "";
	if (strcmp(route->path, CAPTURES) != 0 || strncmp(path, CAPTURES, strlen(CAPTURES)) != 0)
		return NULL;
	return path + strlen(CAPTURES);
}

static void refuse_method(struct http_request *r, const struct buf *allowed)
{
	http_answer_header(r, "Allow", buf_str(allowed));
	reply_error(r, 405, "this takes %s only", buf_str(allowed));
}

static void find_route(struct serve *s, struct http_request *r)
{
	_cleanup_buf_ struct buf allowed = BUF_INIT;

	for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
		const char *rest = match(&routes[i], http_path(r));

		if (!rest)
			continue;
		if (strcmp(routes[i].method, http_method(r)) == 0) {
			routes[i].answer(s, r, rest);
			return;
		}
		buf_printf(&allowed, "%s%s", allowed.len ? ", " : "", routes[i].method);
	}
	if (allowed.len)
		refuse_method(r, &allowed);
	else
		reply_error(r, 404, "there is nothing here; /openapi.yaml says what there is");
}

void serve_handle(void *data, struct http_request *r)
{
	struct serve *s = data;

	// what needs another policy says so
	if (may(s, r))
		find_route(s, r);
}
