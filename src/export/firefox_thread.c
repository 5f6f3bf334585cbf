// SPDX-License-Identifier: MIT
#include "export/firefox.h"
#include "export/thread_names.h"

/* A column of the table of samples. */
typedef void put_value(struct json_writer *json, const struct spool_sample *s, uint64_t *last);

static void put_stack(struct json_writer *json, const struct spool_sample *s, uint64_t *last)
{
	(void)last;
	if (s->stack == STACK_NONE)
		json_null(json);
	else
		json_u64(json, s->stack);
}

/* Since the sample before, in milliseconds; the first one from the profile's start. */
static void put_time(struct json_writer *json, const struct spool_sample *s, uint64_t *last)
{
	uint64_t now_us = s->time_ns / 1000;

	json_thousandths(json, now_us - *last);
	*last = now_us;
}

static void put_count(struct json_writer *json, const struct spool_sample *s, uint64_t *last)
{
	(void)last;
	json_u64(json, s->count);
}

static struct err *put_column(struct firefox *w, uint32_t thread, const char *key, put_value *put)
{
	struct spool_reader reader;
	const struct spool_sample *s;
	uint64_t last = 0;

	spool_reader_init(&reader, w->spool, thread);
	json_key(&w->json, key);
	json_begin_array(&w->json);
	while ((s = spool_reader_next(&reader)))
		put(&w->json, s, &last);
	json_end_array(&w->json);
	struct err *err = spool_reader_error(&reader);
	spool_reader_deinit(&reader);
	return err;
}

static struct err *put_weights(struct firefox *w, uint32_t thread)
{
	if (w->has_counts)
		return put_column(w, thread, "weight", put_count);
	json_key(&w->json, "weight");
	json_null(&w->json);
	return NULL;
}

static struct err *put_cpu(struct firefox *w, uint32_t thread)
{
	if (!w->has_cpu)
		return NULL;
	json_key(&w->json, "threadCPUDelta");
	return firefox_cpu_put(w, thread);
}

static struct err *put_samples(struct firefox *w, uint32_t thread)
{
	json_begin_object(&w->json);
	struct err *err = put_column(w, thread, "stack", put_stack);
	if (!err)
		err = put_column(w, thread, "timeDeltas", put_time);
	if (!err)
		err = put_weights(w, thread);
	if (!err)
		err = put_cpu(w, thread);
	json_key(&w->json, "weightType");
	json_cstring(&w->json, "samples");
	json_key(&w->json, "length");
	json_u64(&w->json, thread_spool_count(w->spool, thread));
	json_end_object(&w->json);
	return err;
}

/* A time since the epoch as milliseconds from the profile's start; null if there is none. */
static void put_moment(struct firefox *w, const char *key, uint64_t time_ns)
{
	json_key(&w->json, key);
	if (time_ns)
		json_thousandths(&w->json, sample_clock_from_origin(&w->clock, time_ns) / 1000);
	else
		json_null(&w->json);
}

/* What the profile says of the thread's process. Without times, nothing began at any moment. */
static void put_process(struct firefox *w, uint32_t process)
{
	const struct capture *c = view_capture(w->view);
	const struct capture_process *p = process < c->process_count ? &c->processes[process] : NULL;
	const char *name = thread_names_process(c, process);
	bool timed = p && !w->clock.made_up;
	char pid[16];

	snprintf(pid, sizeof(pid), "%u", export_ids_pid(&w->ids, c, process));
	json_member_cstring(&w->json, "pid", pid);
	json_member_cstring(&w->json, "processType", "default");
	// "" has a meaning of its own
	json_member_cstring(&w->json, "processName", *name ? name : "process");
	json_key(&w->json, "processStartupTime");
	json_thousandths(&w->json,
		timed ? sample_clock_from_origin(&w->clock, p->start_ns) / 1000 : 0);
	put_moment(w, "processShutdownTime", timed ? p->end_ns : 0);
}

static void put_thread_facts(struct firefox *w, uint32_t thread)
{
	const struct capture *c = view_capture(w->view);
	const struct capture_thread *t = &c->threads[thread];
	const char *name = capture_text(c, t->name);
	bool timed = !w->clock.made_up;

	json_member_cstring(&w->json, "name", *name ? name : "thread");
	json_key(&w->json, "isMainThread");
	json_bool(&w->json, t->main);
	json_key(&w->json, "tid");
	json_u64(&w->json, w->ids.tids[thread]);
	put_process(w, t->process);
	json_key(&w->json, "registerTime");
	json_thousandths(&w->json,
		timed ? sample_clock_from_origin(&w->clock, t->start_ns) / 1000 : 0);
	put_moment(w, "unregisterTime", timed ? t->end_ns : 0);
}

/* Instead of a thread, as readers cannot do without any. */
static void put_no_thread_facts(struct firefox *w)
{
	json_member_cstring(&w->json, "name", "no samples");
	json_key(&w->json, "isMainThread");
	json_bool(&w->json, true);
	json_key(&w->json, "tid");
	json_u64(&w->json, 1);
	put_process(w, 0);
	json_key(&w->json, "registerTime");
	json_u64(&w->json, 0);
	put_moment(w, "unregisterTime", 0);
}

struct err *firefox_thread_put(struct firefox *w, size_t i)
{
	uint32_t thread = w->threads[i];

	json_begin_object(&w->json);
	if (thread < view_capture(w->view)->thread_count)
		put_thread_facts(w, thread);
	else
		put_no_thread_facts(w);
	json_key(&w->json, "pausedRanges");
	json_begin_array(&w->json);
	json_end_array(&w->json);
	json_key(&w->json, "showMarkersInTimeline");
	json_bool(&w->json, true);
	json_key(&w->json, "samples");
	struct err *err = put_samples(w, thread);
	if (!err) {
		json_key(&w->json, "markers");
		err = firefox_markers_put(w, i);
	}
	json_end_object(&w->json);
	return err;
}
