// SPDX-License-Identifier: MIT
/*
 * What the page in the browser is fed with: about once a second the samples that came since, as a
 * piece of page data (docs/page-format.md) after its length. A client that reads slowly gets fewer,
 * longer pieces: the next one is made when all of the one before has been taken.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "cmd/selecting.h"
#include "cmd/serve.h"
#include "cmd/sources.h"
#include "export/export.h"

#define STEP_NS ((uint64_t)NS_PER_SEC)
/* Nothing to tell: a piece without samples only now and then. */
#define QUIET_NS ((uint64_t)5 * NS_PER_SEC)
#define KNOWN_FILES_MAX 4096

struct live {
	struct serve *serve;
	struct http_request *request;
	struct snapshot *snapshot; // the first one, until it is used
	uint64_t at_ns;            // what was sent ends there
	char *files[KNOWN_FILES_MAX]; // whose text was sent
	size_t file_count;
	struct sources *sources; // while a piece is made
};

/* ---- sources: each once for a client ---------------------------------------------------------- */

static bool was_sent(const struct live *l, const char *file)
{
	for (size_t i = 0; i < l->file_count; i++)
		if (strcmp(l->files[i], file) == 0)
			return true;
	return l->file_count == KNOWN_FILES_MAX;
}

static bool find_source(void *data, const char *file, struct export_source *ret)
{
	struct live *l = data;

	if (was_sent(l, file) || !l->sources->exported.find(l->sources->exported.data, file, ret))
		return false;
	l->files[l->file_count++] = xstrdup(file);
	return true;
}

/* ---- pieces ----------------------------------------------------------------------------------- */

static struct err *write_samples(
	struct live *l, struct input *in, uint64_t from_ns, uint64_t to_ns, FILE *out)
{
	const struct export_sources once = { find_source, l };
	const struct selecting selecting = { 0 };
	const struct selection selection = { .from_ns = from_ns, .to_ns = to_ns };
	_cleanup_(described_deinit) struct described described;
	_cleanup_(file_root_deinit) struct file_root files = { 0 };
	_cleanup_(sources_deinit) struct sources sources;
	struct serve_facts facts = serve_facts(l->serve);
	struct view *v;

	if (!facts.ended && facts.pid)
		file_root_follow(&files, (pid_t)facts.pid);
	sources_init(&sources, &in->capture, &files);
	// cppcheck-suppress autoVariables // only used until this returns
	l->sources = &sources;
	selecting_describe(&selecting, in, &described);
	described.options.sources = l->serve->no_source ? NULL : &once;
	struct err *err = view_create(&v, &in->capture, &selection);
	if (err)
		return err;
	err = export_page_data(out, v, &described.options);
	view_destroy(v);
	return err;
}

/* Which times the piece is for, as it may have no sample at their ends. */
static void set_range(struct capture *c, uint64_t from_ns, uint64_t to_ns)
{
	capture_set_fact_u64(c, "live_from_ns", from_ns);
	capture_set_fact_u64(c, "live_to_ns", to_ns);
}

static void add_length(struct buf *out, size_t at)
{
	size_t len = out->len - at - 4;

	for (unsigned int i = 0; i < 4; i++)
		out->data[at + i] = (char)(unsigned char)(len >> 8 * i);
}

static struct err *add_piece(
	struct live *l, const struct snapshot *snapshot, uint64_t from_ns, struct buf *out)
{
	_cleanup_free_ char *bytes = NULL;
	struct input in;
	size_t len = 0;
	struct err *err = serve_open_snapshot(snapshot, &in);

	if (err)
		return err;
	set_range(&in.capture, from_ns, snapshot->cut_ns);
	FILE *memory = open_memstream(&bytes, &len);
	err = write_samples(l, &in, from_ns, snapshot->cut_ns, memory);
	fclose(memory);
	input_close(&in);
	if (err)
		return err;
	size_t at = out->len;
	buf_add(out, "\0\0\0\0", 4);
	buf_add(out, bytes, len);
	add_length(out, at);
	return NULL;
}

/* Whether there is something to tell of the time since. */
static bool is_worth_it(struct live *l, uint64_t cut_ns)
{
	struct serve_facts facts = serve_facts(l->serve);

	return facts.newest_ns >= l->at_ns || cut_ns - l->at_ns >= QUIET_NS;
}

static struct err *next_snapshot(struct live *l, struct snapshot **ret)
{
	uint64_t to_ns = l->at_ns + STEP_NS, now = clock_wall_ns();

	if (l->snapshot) {
		*ret = l->snapshot;
		l->snapshot = NULL;
		return NULL;
	}
	// behind: all there is
	if (to_ns < now)
		to_ns = 0;
	return tap_take(
		&l->serve->tap, l->at_ns, to_ns, serve_request_gone, l->request, ret);
}

/* The recording has ended: there will be nothing more, but who looks stays connected. */
static bool rest(struct live *l)
{
	for (int i = 0; i < 10; i++) {
		if (http_stream_over(l->request))
			return false;
		clock_sleep_until(clock_now_ns() + NS_PER_SEC / 10);
	}
	return true;
}

static bool next(void *data, struct buf *out)
{
	struct live *l = data;
	struct snapshot *snapshot;
	struct err *err = NULL;

	if (serve_facts(l->serve).ended && !l->snapshot && !rest(l))
		return false;
	err = next_snapshot(l, &snapshot);
	if (!err) {
		if (snapshot->cut_ns > l->at_ns && is_worth_it(l, snapshot->cut_ns) &&
			serve_work_begin(l->serve, l->request)) {
			err = add_piece(l, snapshot, l->at_ns, out);
			serve_work_end(l->serve);
			l->at_ns = snapshot->cut_ns;
		}
		snapshot_release(snapshot);
	}
	// the end of the stream is all that can be said here
	bool more = !err;
	err_free(err);
	return more;
}

static void close_live(void *data)
{
	struct live *l = data;

	snapshot_release(l->snapshot);
	for (size_t i = 0; i < l->file_count; i++)
		free(l->files[i]);
	serve_slot_give(&l->serve->streams);
	free(l);
}

/* ---- the beginning ---------------------------------------------------------------------------- */

static bool read_since(struct http_request *r, uint64_t *since_ret)
{
	const char *text = http_parameter(r, "since");
	size_t digits = text ? strspn(text, "0123456789") : 0;

	*since_ret = 0;
	if (!text)
		return true;
	if (digits && digits <= 19 && !text[digits]) {
		*since_ret = strtoull(text, NULL, 10);
		return true;
	}
	reply_error(r, 400, "bad moment '%s'; give nanoseconds since the epoch, or 0", text);
	return false;
}

/* Where what can be given begins. */
static struct err *find_start(struct live *l, uint64_t since_ns)
{
	struct input in;
	struct err *err = tap_take(
		&l->serve->tap, since_ns, 0, serve_request_gone, l->request, &l->snapshot);

	if (!err)
		err = serve_open_snapshot(l->snapshot, &in);
	if (err)
		return err;
	uint64_t first_ns = capture_first_ns(&in.capture);
	l->at_ns = first_ns > since_ns && first_ns ? first_ns : since_ns;
	if (!first_ns || l->at_ns > l->snapshot->cut_ns)
		l->at_ns = l->snapshot->cut_ns;
	input_close(&in);
	return NULL;
}

void serve_stream(struct serve *s, struct http_request *r, const char *rest_of_path)
{
	static const char *const known[] = { "since", NULL };
	uint64_t since_ns;
	char start[24];

	(void)rest_of_path;
	if (!reply_know_parameters(r, known) || !read_since(r, &since_ns) ||
		!serve_slot_take(&s->streams, r))
		return;
	struct live *l = xcalloc(1, sizeof(*l));
	l->serve = s;
	l->request = r;
	struct err *err = find_start(l, since_ns);
	if (err) {
		reply_err(r, err);
		close_live(l);
		return;
	}
	snprintf(start, sizeof(start), "%" PRIu64, l->at_ns);
	http_answer_header(r, "X-Fireglass-Start", start);
	http_answer_stream(r, "application/octet-stream",
		&(struct http_stream){ .next = next, .close = close_live, .data = l });
}
