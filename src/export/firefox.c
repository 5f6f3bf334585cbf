// SPDX-License-Identifier: MIT
/*
 * The Firefox Profiler's processed profile, version 60: the first with tables that all threads share.
 * Newer readers bring it up to date as they load it.
 *
 * Each thread with samples is a track, with its process's name and pid. Samples are at the times at
 * which they were taken; where a thread was not there, or was not looked at, is a sample without a
 * stack. Categories say whose code the leaf is, or that it is idle (transparent: waiting, stopped),
 * collects garbage or waits for the GIL.
 *
 * Threads need their samples column by column: they are spooled (thread_spool.h) and read once for
 * each. The shared tables come last, when all is known that they hold.
 */
#include "export/firefox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "export/thread_names.h"

#define PROCESSED_VERSION 60
#define GECKO_VERSION 32 /* of Firefox's own format when that was new; readers ignore it */

static void firefox_deinit(struct firefox *w)
{
	export_ids_deinit(&w->ids);
	sample_clock_deinit(&w->clock);
	thread_spool_destroy(w->spool);
	firefox_tables_deinit(&w->tables);
	free(w->threads);
	free(w->marker_begin);
	free(w->markers);
}

/* ---- reading ---------------------------------------------------------------------------------- */

static enum firefox_category category_of(const struct capture_sample *s)
{
	if (s->flags & SAMPLE_IN_GC)
		return FIREFOX_GC;
	if (s->flags & SAMPLE_WAITS_FOR_GIL)
		return FIREFOX_GIL_WAIT;
	if (s->state == SAMPLE_WAITING || s->state == SAMPLE_STOPPED)
		return FIREFOX_IDLE;
	return FIREFOX_OWN;
}

static struct err *add_gap(struct firefox *w, uint32_t thread, uint64_t time_ns)
{
	return thread_spool_add(w->spool, thread,
		&(struct spool_sample){ .time_ns = time_ns, .stack = STACK_NONE });
}

static struct err *add_sample(struct firefox *w, const struct capture_sample *s)
{
	struct sample_time time = sample_clock_next(&w->clock, s);
	struct err *err = time.gap ? add_gap(w, s->thread, time.gap_from_ns) : NULL;

	if (err)
		return err;
	w->has_cpu |= s->cpu_ns > 0;
	w->has_counts |= s->count != 1;
	return thread_spool_add(w->spool, s->thread,
		&(struct spool_sample){
			.time_ns = time.begin_ns,
			.count = s->count,
			.cpu_ns = s->cpu_ns,
			.stack = firefox_tables_stack(
				&w->tables, view_marked_stack(w->view), category_of(s)),
			.flags = s->flags,
		});
}

static struct err *read_samples(struct firefox *w)
{
	const struct capture_sample *s;

	view_begin(w->view);
	while ((s = view_next(w->view))) {
		struct err *err = add_sample(w, s);

		if (err)
			return err;
	}
	return view_end(w->view);
}

/* Threads with samples; all of them if there are no samples; one that is none if there are none. */
static void choose_threads(struct firefox *w)
{
	const struct capture *c = view_capture(w->view);
	uint32_t count = (uint32_t)c->thread_count;

	w->threads = xcalloc((size_t)count + 1, sizeof(*w->threads));
	for (uint32_t i = 0; i < count; i++)
		if (thread_spool_count(w->spool, i))
			w->threads[w->thread_count++] = i;
	if (w->thread_count)
		return;
	for (uint32_t i = 0; i < count; i++)
		w->threads[w->thread_count++] = i;
	if (!w->thread_count)
		w->threads[w->thread_count++] = count;
}

/* ---- meta ------------------------------------------------------------------------------------- */

static void put_categories(struct firefox *w)
{
	static const struct {
		const char *name, *color;
	} categories[FIREFOX_CATEGORIES] = {
		[FIREFOX_OTHER] = { "Other", "grey" },
		[FIREFOX_IDLE] = { "Idle", "transparent" },
		[FIREFOX_PROGRAM] = { "Program", "yellow" },
		[FIREFOX_PACKAGE] = { "Packages", "lightblue" },
		[FIREFOX_STDLIB] = { "Standard library", "green" },
		[FIREFOX_GC] = { "Garbage collection", "orange" },
		[FIREFOX_GIL_WAIT] = { "Waiting for the GIL", "red" },
	};

	json_key(&w->json, "categories");
	json_begin_array(&w->json);
	for (size_t i = 0; i < ARRAY_LEN(categories); i++) {
		json_begin_object(&w->json);
		json_member_cstring(&w->json, "name", categories[i].name);
		json_member_cstring(&w->json, "color", categories[i].color);
		json_key(&w->json, "subcategories");
		json_begin_array(&w->json);
		json_cstring(&w->json, "Other");
		json_end_array(&w->json);
		json_end_object(&w->json);
	}
	json_end_array(&w->json);
}

/* The facts of the run, which readers show as more information. */
static void put_extra(struct firefox *w)
{
	const struct capture *c = view_capture(w->view);

	json_key(&w->json, "extra");
	json_begin_array(&w->json);
	json_begin_object(&w->json);
	json_member_cstring(&w->json, "label", "Recording");
	json_key(&w->json, "entries");
	json_begin_array(&w->json);
	for (size_t i = 0; i < c->fact_count; i++) {
		json_begin_object(&w->json);
		json_member_cstring(&w->json, "label", capture_text(c, c->facts[i].key));
		json_member_cstring(&w->json, "format", "string");
		json_member_cstring(&w->json, "value", capture_text(c, c->facts[i].value));
		json_end_object(&w->json);
	}
	json_end_array(&w->json);
	json_end_object(&w->json);
	json_end_array(&w->json);
}

static void put_sample_units(struct firefox *w)
{
	if (!w->has_cpu)
		return;
	json_key(&w->json, "sampleUnits");
	json_begin_object(&w->json);
	json_member_cstring(&w->json, "time", "ms");
	json_member_cstring(&w->json, "eventDelay", "ms");
	json_member_cstring(&w->json, "threadCPUDelta", "µs");
	json_end_object(&w->json);
}

static void put_times(struct firefox *w)
{
	const struct capture *c = view_capture(w->view);
	uint64_t end_ns = w->clock.made_up ? 0 : capture_fact_u64(c, FACT_END_NS, 0);

	json_key(&w->json, "interval");
	json_double(&w->json, (double)w->clock.count_ns / 1e6);
	json_key(&w->json, "startTime");
	json_thousandths(&w->json, w->clock.origin_ns / 1000);
	if (end_ns) {
		json_key(&w->json, "endTime");
		json_thousandths(&w->json, end_ns / 1000);
	} else if (!capture_samples(c)) {
		end_ns = w->clock.origin_ns + w->clock.count_ns; // some time there must be
	} else {
		return;
	}
	json_member_u64(&w->json, "profilingStartTime", 0);
	json_key(&w->json, "profilingEndTime");
	json_thousandths(&w->json, sample_clock_from_origin(&w->clock, end_ns) / 1000);
}

/* The main thread of the first process, as what is looked at first. */
static void put_first_look(struct firefox *w)
{
	const struct capture *c = view_capture(w->view);
	size_t first = 0;

	for (size_t i = w->thread_count; i-- > 0;)
		if (w->threads[i] < c->thread_count && c->threads[w->threads[i]].main)
			first = i;
	json_key(&w->json, "initialSelectedThreads");
	json_begin_array(&w->json);
	json_u64(&w->json, first);
	json_end_array(&w->json);
	json_member_bool(&w->json, "keepProfileThreadOrder", true);
}

static void put_platform(struct firefox *w)
{
	const struct capture *c = view_capture(w->view);
	const char *kernel = capture_fact(c, FACT_KERNEL), *arch = capture_fact(c, FACT_ARCH);
	_cleanup_buf_ struct buf system = BUF_INIT;

	buf_printf(&system, "Linux %s %s", kernel ? kernel : "", arch ? arch : "");
	json_member_cstring(&w->json, "platform", "Linux");
	if (kernel || arch)
		json_member_cstring(&w->json, "oscpu", buf_str(&system));
	if (c->process_count && *capture_text(c, c->processes[0].command))
		json_member_cstring(
			&w->json, "arguments", capture_text(c, c->processes[0].command));
}

static void put_meta(struct firefox *w)
{
	json_key(&w->json, "meta");
	json_begin_object(&w->json);
	json_member_u64(&w->json, "version", GECKO_VERSION);
	json_member_u64(&w->json, "preprocessedProfileVersion", PROCESSED_VERSION);
	json_member_cstring(
		&w->json, "product", thread_names_title(view_capture(w->view), w->options->title));
	json_member_cstring(&w->json, "importedFrom", "fireglass");
	json_member_u64(&w->json, "processType", 0);
	json_member_u64(&w->json, "stackwalk", 0);
	json_member_bool(&w->json, "debug", false);
	json_member_bool(&w->json, "symbolicated", true);
	json_member_bool(&w->json, "usesOnlyOneStackType", true);
	json_member_bool(&w->json, "sourceCodeIsNotOnSearchfox", true);
	put_times(w);
	put_platform(w);
	put_sample_units(w);
	put_first_look(w);
	put_categories(w);
	json_key(&w->json, "markerSchema");
	firefox_markers_put_schema(w);
	put_extra(w);
	json_end_object(&w->json);
}

/* ---- the whole -------------------------------------------------------------------------------- */

static struct err *put_file(struct firefox *w)
{
	struct err *err = NULL;

	json_begin_object(&w->json);
	put_meta(w);
	json_key(&w->json, "libs");
	json_begin_array(&w->json);
	json_end_array(&w->json);
	json_key(&w->json, "threads");
	json_begin_array(&w->json);
	for (size_t i = 0; i < w->thread_count && !err; i++)
		err = firefox_thread_put(w, i);
	json_end_array(&w->json);
	json_key(&w->json, "shared");
	firefox_tables_put(&w->tables, &w->json);
	json_end_object(&w->json);
	return err;
}

/* Without samples the profile begins with the recording. */
static void init_clock(struct firefox *w)
{
	const struct capture *c = view_capture(w->view);
	uint64_t start_ns = capture_fact_u64(c, FACT_START_NS, 0);

	sample_clock_init(&w->clock, w->view);
	if (!start_ns || capture_samples(c))
		return;
	w->clock.origin_ns = start_ns;
	w->clock.made_up = false;
}

static struct err *firefox_write(FILE *out, struct view *v, const struct export_options *options)
{
	const struct capture *c = view_capture(v);
	_cleanup_(firefox_deinit) struct firefox w = {
		.json = { .stream = out },
		.view = v,
		.options = options,
		// one more, without samples
		.spool = thread_spool_create(c->thread_count + 1, SPOOL_MEMORY),
	};

	export_ids_init(&w.ids, c);
	init_clock(&w);
	firefox_tables_init(&w.tables, v, options);
	struct err *err = read_samples(&w);
	if (!err) {
		choose_threads(&w);
		firefox_markers_init(&w);
		err = put_file(&w);
	}
	if (err)
		return err;
	fputc('\n', out);
	return ferror(out) ? err_errno(errno, "cannot write the profile") : NULL;
}

const struct exporter export_firefox = {
	.name = "firefox",
	.extension = "firefox.json",
	.summary = "JSON for the Firefox Profiler: threads, time, CPU, markers",
	.write_view = firefox_write,
};
