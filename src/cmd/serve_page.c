// SPDX-License-Identifier: MIT
/* What is the same for each request, or nearly: the page, the description of the API, the index. */
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "cmd/serve.h"
#include "export/export.h"
#include "openapi_resources.h"

static const char *const no_parameters[] = { NULL };

static void add_live(struct buf *out, struct serve *s)
{
	struct json_writer w = { .buf = out, .embedded = true };

	json_begin_object(&w);
	json_key(&w, "base");
	json_cstring(&w, "/");
	json_key(&w, "keep_ns");
	json_u64(&w, s->limits.max_age_ns);
	json_key(&w, "token");
	json_cstring(&w, s->token ? s->token : "");
	json_end_object(&w);
}

void serve_page(struct serve *s, struct http_request *r, const char *rest)
{
	_cleanup_buf_ struct buf live = BUF_INIT;
	_cleanup_free_ char *bytes = NULL;
	_cleanup_free_ char *title = xasprintf("fireglass: %s", buf_str(&s->command_line));
	size_t len = 0;
	FILE *memory = open_memstream(&bytes, &len);

	(void)rest;
	add_live(&live, s);
	export_page_live(memory, title, buf_str(&live));
	fclose(memory);
	// the page has a policy of its own; this is what cannot be said in it
	http_answer_header(r, "Content-Security-Policy", "frame-ancestors 'none'");
	http_answer_bytes(r, 200, "text/html; charset=utf-8", bytes, len);
}

void serve_openapi(struct serve *s, struct http_request *r, const char *rest)
{
	(void)s;
	(void)rest;
	if (reply_know_parameters(r, no_parameters))
		http_answer_bytes(r, 200, "application/yaml", openapi_yaml, strlen(openapi_yaml));
}

void serve_pprof_index(struct serve *s, struct http_request *r, const char *rest)
{
	static const char page[] =
		"<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">"
		"<title>/debug/pprof/</title><h1>/debug/pprof/</h1><ul>\n"
		"<li><a href=\"profile\">profile</a>: where the time goes, for 30 seconds "
		"(<code>?seconds=N</code>)</li>\n"
		"<li><a href=\"cmdline\">cmdline</a>: the command line of the program</li>\n"
		"</ul></html>\n";

	(void)s;
	(void)rest;
	if (reply_know_parameters(r, no_parameters))
		http_answer_bytes(r, 200, "text/html; charset=utf-8", page, strlen(page));
}

void serve_pprof_cmdline(struct serve *s, struct http_request *r, const char *rest)
{
	(void)rest;
	if (reply_know_parameters(r, no_parameters))
		reply_text(r, 200, TYPE_TEXT, &s->command_line);
}
