// SPDX-License-Identifier: MIT
/*
 * One lock guards the table of open spans and the queue of events; it is held for some tens of
 * nanoseconds, across forks too, so that the child finds both whole.
 *
 * The queue is a list: each event says how many readers have still to pass it. Since all read in
 * order, those that nobody has to pass are always at its head.
 */
#include "inside/spans.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "inside/contexts.h"
#include "inside/slots.h"

#define BUCKETS_FIRST 64
#define QUEUE_BYTES_MAX ((size_t)64 << 20) // of events that nobody came to read

struct event {
	struct event *next;
	size_t bytes;
	uint32_t left; // readers that have not passed it
	struct span_event is;
	char texts[];
};

struct span_reader {
	struct span_reader *next;
	struct event *own;    // what was open when it came; nobody else's
	struct event *unread; // of the queue; NULL: it has read all
	struct event *held, *held_own; // what it was given last
	_Atomic uint64_t lost;
};

static struct {
	pthread_mutex_t lock;
	struct open_span **buckets;
	size_t mask; // buckets - 1
	size_t count;
	struct event *head, **tail;
	size_t queued_bytes;
	struct span_reader *readers;
	_Atomic uint32_t reader_count;
	_Atomic uint32_t chosen;
	_Atomic uint64_t last_key;
	pid_t pid;
} all = { .lock = PTHREAD_MUTEX_INITIALIZER };

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void lock(void)
{
	pthread_mutex_lock(&all.lock);
}

static void unlock(void)
{
	pthread_mutex_unlock(&all.lock);
}

static void start_as_child(void);

static void set_up(void)
{
	all.tail = &all.head;
	all.pid = getpid();
	all.buckets = calloc(BUCKETS_FIRST, sizeof(all.buckets[0]));
	all.mask = BUCKETS_FIRST - 1;
	pthread_atfork(lock, unlock, start_as_child);
}

bool spans_wanted(void)
{
	return atomic_load_explicit(&all.reader_count, memory_order_relaxed) != 0;
}

_Atomic uint32_t *spans_chosen(void)
{
	return &all.chosen;
}

/* ---- events, with the lock -------------------------------------------------------------------- */

static size_t text_bytes(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

static struct event *event_create(enum span_event_type type, const struct open_span *span)
{
	bool texts = type == SPAN_OPENED;
	size_t name = texts ? text_bytes(span->name) : 0;
	size_t text = texts || type == SPAN_DESCRIBED ? text_bytes(span->text) : 0;
	struct event *event = malloc(sizeof(*event) + name + text);

	if (!event)
		return NULL;
	*event = (struct event){
		.bytes = sizeof(*event) + name + text,
		.is = { .type = type, .key = span->key, .parent = span->parent, .tid = span->tid },
	};
	if (name)
		event->is.name = memcpy(event->texts, span->name, name);
	if (text)
		event->is.text = memcpy(event->texts + name, span->text, text);
	return event;
}

static void lose(void)
{
	for (struct span_reader *reader = all.readers; reader; reader = reader->next)
		atomic_fetch_add(&reader->lost, 1);
}

/* False: no reader will see it. */
static bool tell(enum span_event_type type, const struct open_span *span, uint64_t time_ns)
{
	uint32_t readers = atomic_load(&all.reader_count);

	if (!readers)
		return false;
	struct event *event = NULL;
	if (all.queued_bytes < QUEUE_BYTES_MAX || (type != SPAN_OPENED && type != SPAN_DESCRIBED))
		event = event_create(type, span);
	if (!event) {
		lose();
		return false;
	}
	event->is.time_ns = time_ns;
	event->left = readers;
	*all.tail = event;
	all.tail = &event->next;
	all.queued_bytes += event->bytes;
	for (struct span_reader *reader = all.readers; reader; reader = reader->next)
		if (!reader->unread)
			reader->unread = event;
	return true;
}

static void forget_passed(void)
{
	while (all.head && !all.head->left) {
		struct event *event = all.head;

		all.head = event->next;
		if (!all.head)
			all.tail = &all.head;
		all.queued_bytes -= event->bytes;
		free(event);
	}
}

/* ---- open spans, with the lock ---------------------------------------------------------------- */

static void link_span(struct open_span *span)
{
	struct open_span **bucket = &all.buckets[span->key & all.mask];

	span->next = *bucket;
	span->link = bucket;
	if (span->next)
		span->next->link = &span->next;
	*bucket = span;
}

static void unlink_span(struct open_span *span)
{
	*span->link = span->next;
	if (span->next)
		span->next->link = span->link;
	span->link = NULL;
}

static void grow(void)
{
	size_t old = all.mask + 1;
	struct open_span **old_buckets = all.buckets;
	struct open_span **buckets = calloc(old * 2, sizeof(buckets[0]));

	if (!buckets)
		return; // chains get longer
	all.buckets = buckets;
	all.mask = old * 2 - 1;
	for (size_t i = 0; i < old; i++)
		for (struct open_span *span = old_buckets[i], *next; span; span = next) {
			next = span->next;
			link_span(span);
		}
	free(old_buckets);
}

static struct open_span *find(span_key key)
{
	struct open_span *span = all.buckets ? all.buckets[key & all.mask] : NULL;

	while (span && span->key != key)
		span = span->next;
	return span;
}

static void choose(struct open_span *span, bool chosen)
{
	if (span->chosen == chosen)
		return;
	span->chosen = chosen;
	uint32_t before = chosen ? atomic_fetch_add(&all.chosen, 1) : atomic_fetch_sub(&all.chosen, 1);
	if (before == !chosen)
		clock_wake(&all.chosen);
}

static void end(struct open_span *span)
{
	unlink_span(span);
	all.count--;
	choose(span, false);
	free(span->copy);
	span->copy = NULL;
	span->key = 0;
	if (span->owned)
		free(span);
}

/* ---- opening and closing ---------------------------------------------------------------------- */

/* While nobody is listening a clock that is read without a system call's worth of work will do. */
static uint64_t opening_time(void)
{
	struct timespec ts;

	if (spans_wanted())
		return clock_now_ns();
	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_SEC + (uint64_t)ts.tv_nsec;
}

span_key spans_open_at(struct open_span *span, span_key parent, const char *name, const char *text)
{
	struct slot *mine = slot_mine();

	pthread_once(&once, set_up);
	if (!all.buckets || !mine)
		return 0;
	span->parent = parent;
	span->name = name;
	span->text = text ? text : "";
	span->tid = atomic_load_explicit(&mine->tid, memory_order_relaxed);
	span->time_ns = opening_time();
	lock();
	span_key key = span->key = atomic_fetch_add(&all.last_key, 1) + 1;
	link_span(span);
	if (++all.count > all.mask)
		grow();
	span->shown = tell(SPAN_OPENED, span, span->time_ns);
	unlock();
	return key;
}

span_key spans_open(span_key parent, const char *name, const char *text)
{
	size_t name_bytes = strlen(name) + 1, bytes = name_bytes + text_bytes(text);
	struct open_span *span = malloc(sizeof(*span) + bytes);

	if (!span)
		return 0;
	char *copies = (char *)(span + 1);
	memcpy(copies, name, name_bytes);
	if (text)
		memcpy(copies + name_bytes, text, bytes - name_bytes);
	*span = (struct open_span){ .owned = true };
	span_key key = spans_open_at(span, parent, copies, text ? copies + name_bytes : NULL);
	if (!key)
		free(span);
	return key;
}

void spans_describe(span_key key, const char *text)
{
	const struct open_span closed = { .key = key, .text = text };
	char *copy = strdup(text);

	if (!copy || !key) {
		free(copy);
		return;
	}
	lock();
	struct open_span *span = find(key);
	if (span) {
		free(span->copy);
		span->text = span->copy = copy;
		copy = NULL;
		if (span->shown)
			tell(SPAN_DESCRIBED, span, clock_now_ns());
	} else {
		tell(SPAN_DESCRIBED, &closed, clock_now_ns());
	}
	unlock();
	free(copy);
}

void spans_close(span_key key)
{
	uint64_t time_ns = spans_wanted() ? clock_now_ns() : 0;

	if (!key)
		return;
	lock();
	struct open_span *span = find(key);
	if (span) {
		if (span->shown)
			tell(SPAN_CLOSED, span, time_ns ? time_ns : clock_now_ns());
		end(span);
	}
	unlock();
}

void spans_choose(span_key key, bool chosen)
{
	lock();
	struct open_span *span = key ? find(key) : NULL;
	if (span && span->chosen != chosen) {
		choose(span, chosen);
		if (span->shown)
			tell(chosen ? SPAN_CHOSEN : SPAN_UNCHOSEN, span, clock_now_ns());
	}
	unlock();
}

/* ---- threads ---------------------------------------------------------------------------------- */

span_key spans_enter(span_key key)
{
	struct slot *mine = slot_mine();

	if (!mine)
		return 0;
	span_key before = atomic_load_explicit(&mine->key, memory_order_relaxed);
	slot_write(mine, key, 0);
	return before;
}

struct span_place spans_place(void)
{
	struct slot *mine = slot_mine();

	if (!mine)
		return (struct span_place){ 0 };
	return (struct span_place){
		.key = atomic_load_explicit(&mine->key, memory_order_relaxed),
		.context = atomic_load_explicit(&mine->context, memory_order_relaxed),
	};
}

void spans_set_place(struct span_place place)
{
	struct slot *mine = slot_mine();

	if (mine)
		slot_write(mine, place.key, place.context);
}

span_key spans_current(void)
{
	struct slot *mine = slot_mine();

	return mine ? atomic_load_explicit(&mine->key, memory_order_relaxed) : 0;
}

span_key spans_of_thread(pid_t tid)
{
	return slot_read(tid).key;
}

bool spans_look(struct span_look *look, pid_t tid, uint64_t state)
{
	if (!atomic_load_explicit(&all.last_key, memory_order_relaxed)) {
		bool same = look->key == 0;

		look->key = 0;
		return same;
	}
	const struct slot_state slot = slot_read(tid);
	if (state && contexts_ready())
		return contexts_look(look, state, &slot);
	bool same = look->turn == slot.turn && look->key == slot.key;
	look->turn = slot.turn;
	look->key = slot.key;
	return same;
}

/* ---- readers ---------------------------------------------------------------------------------- */

static int by_key(const void *a, const void *b)
{
	const struct event *const *x = a, *const *y = b;

	return ((*x)->is.key > (*y)->is.key) - ((*x)->is.key < (*y)->is.key);
}

static void own_events_free(struct event *event)
{
	while (event) {
		struct event *next = event->next;

		free(event);
		event = next;
	}
}

/* Two for a span that is chosen: opened, chosen. */
static struct event *events_of(const struct open_span *span)
{
	struct event *event = event_create(SPAN_OPENED, span);

	if (!event)
		return NULL;
	event->is.time_ns = span->time_ns;
	if (span->chosen) {
		event->next = event_create(SPAN_CHOSEN, span);
		if (event->next)
			event->next->is.time_ns = span->time_ns;
	}
	return event;
}

static struct event *chain(struct event **events, size_t count)
{
	struct event *first = NULL, **link = &first;

	qsort(events, count, sizeof(events[0]), by_key);
	for (size_t i = 0; i < count; i++) {
		*link = events[i];
		while (*link)
			link = &(*link)->next;
	}
	return first;
}

/* What is open now; with the lock. */
static struct event *open_events(void)
{
	struct event **events = calloc(all.count + 1, sizeof(struct event *));
	size_t count = 0;

	if (!events)
		return NULL;
	for (size_t i = 0; i <= all.mask; i++)
		for (struct open_span *span = all.buckets[i]; span; span = span->next) {
			span->shown = true;
			events[count] = events_of(span);
			count += events[count] != NULL;
		}
	struct event *first = chain(events, count);
	free(events);
	return first;
}

struct span_reader *span_reader_create(void)
{
	struct span_reader *reader = calloc(1, sizeof(*reader));

	pthread_once(&once, set_up);
	if (!reader || !all.buckets) {
		free(reader);
		return NULL;
	}
	lock();
	reader->own = open_events();
	reader->next = all.readers;
	all.readers = reader;
	atomic_fetch_add(&all.reader_count, 1);
	unlock();
	return reader;
}

static void let_go(struct span_reader *reader)
{
	free(reader->held_own);
	if (reader->held)
		reader->held->left--;
	reader->held = reader->held_own = NULL;
}

bool span_reader_next(struct span_reader *reader, struct span_event *ret)
{
	lock();
	let_go(reader);
	struct event *event = reader->own ? reader->own : reader->unread;
	if (reader->own) {
		reader->held_own = event;
		reader->own = event->next;
	} else if (event) {
		reader->held = event;
		reader->unread = event->next;
	}
	forget_passed();
	unlock();
	if (!event)
		return false;
	*ret = event->is;
	return true;
}

uint64_t span_reader_lost(const struct span_reader *reader)
{
	return atomic_load(&reader->lost);
}

/* False: a fork has left it behind. */
static bool take_out(struct span_reader *reader)
{
	for (struct span_reader **link = &all.readers; *link; link = &(*link)->next)
		if (*link == reader) {
			*link = reader->next;
			return true;
		}
	return false;
}

void span_reader_destroy(struct span_reader *reader)
{
	if (!reader)
		return;
	lock();
	if (take_out(reader)) {
		atomic_fetch_sub(&all.reader_count, 1);
		let_go(reader);
		for (struct event *event = reader->unread; event; event = event->next)
			event->left--;
		forget_passed();
		own_events_free(reader->own);
	}
	unlock();
	free(reader);
}

/* ---- forks ------------------------------------------------------------------------------------ */

/* Those of threads that are no more will not be closed by anybody. */
static void keep_spans_of(pid_t tid)
{
	for (size_t i = 0; i <= all.mask; i++)
		for (struct open_span *span = all.buckets[i], *next; span; span = next) {
			next = span->next;
			span->shown = false;
			if (span->tid == tid)
				span->tid = gettid();
			else
				end(span);
		}
}

static void forget_readers(void)
{
	for (struct span_reader *reader = all.readers; reader; reader = reader->next) {
		own_events_free(reader->own);
		free(reader->held_own);
		reader->own = reader->unread = reader->held = reader->held_own = NULL;
	}
	all.readers = NULL;
	atomic_store(&all.reader_count, 0);
	own_events_free(all.head);
	all.head = NULL;
	all.tail = &all.head;
	all.queued_bytes = 0;
}

static void start_as_child(void)
{
	all.pid = getpid();
	pid_t tid = slots_after_fork();
	contexts_after_fork();
	pthread_mutex_init(&all.lock, NULL); // taken before the fork, by the thread that is left
	if (!all.buckets)
		return;
	forget_readers();
	keep_spans_of(tid);
}

void spans_after_fork(void)
{
	if (all.pid && all.pid != getpid())
		start_as_child();
}
