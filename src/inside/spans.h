// SPDX-License-Identifier: MIT
/*
 * What this process says it is working on: spans, and which of them each thread is in right now.
 *
 * A span is opened and closed by the program (fireglass.span, a request, a task). In which one a
 * thread is is known in two ways:
 *
 *	the slot     each kernel thread has one with the key of the innermost span it has entered;
 *	             only that thread writes it
 *	the context  Python's own context variables, which asyncio, uvloop, trio and greenlets switch
 *	             themselves: read from the interpreter's memory (inside/contexts.h)
 *
 * spans_look() reads, without a lock, the context where it can be read and the slot where not. Whoever
 * samples looks before and after the stack was read: a sample counts to a span only if nothing has
 * changed in between.
 *
 * All that opens and closes is also an event, which every session reads in order and at its own time;
 * events that all of them have read are forgotten. While there is no session, opening a span costs
 * next to nothing, and nothing is left of it when it is closed.
 *
 * Any thread may call anything here, with or without the GIL. After a fork the child starts with
 * no events, no readers, and the slot of the thread that forked.
 */
#ifndef FIREGLASS_INSIDE_SPANS_H
#define FIREGLASS_INSIDE_SPANS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Never used twice in a process; 0: no span. */
typedef uint64_t span_key;

/* Opens a span on the calling thread, without entering it. The texts are copied. 0: no memory. */
span_key spans_open(span_key parent, const char *name, const char *text);

/* More is known of it (route, status): replaces its text. Also after it was closed, for a while. */
void spans_describe(span_key key, const char *text);

/* Once more, or with 0, does nothing. */
void spans_close(span_key key);

/* The slot of the calling thread is `key` from now on (0: none); returns what it was. */
span_key spans_enter(span_key key);

/* What the slot of the calling thread says. */
span_key spans_current(void);

/*
 * The same, for one context only, which is the address of a Python context: in another the slot says
 * nothing. Whoever writes such a place sees to it that the context lives until another is written.
 */
struct span_place {
	span_key key;
	uint64_t context; // 0: any
};

struct span_place spans_place(void);
void spans_set_place(struct span_place place);

/* What the slot of any thread says, by the kernel's id; 0 also if it never entered one. Wait-free. */
span_key spans_of_thread(pid_t tid);

/*
 * What one who samples knows of one thread; zeroed before the first look. `key` may be of a span that
 * was closed since (a task that outlives what it was started for): what the thread does then counts to
 * the innermost of the parents that is still open, or to none.
 */
struct span_look {
	span_key key;
	uint64_t state, context, turn; // what it was found by
};

/*
 * In which span a thread is, by the kernel's id and the address of its PyThreadState (0: not known).
 * True if the thread has provably been in `look->key` all the time since the look before: no span was
 * entered or left, no task or greenlet switched. Any thread, no locks, safe in a signal handler.
 *
 * Costs nothing before the process opens its first span, then one short read of memory, and some more
 * after a switch.
 */
bool spans_look(struct span_look *look, pid_t tid, uint64_t state);

/* ---- choosing --------------------------------------------------------------------------------- */

/* A span, with all that is opened in it, is of interest to sessions that keep chosen spans only. */
void spans_choose(span_key key, bool chosen);

/*
 * How many open spans are chosen: for clock_wait(). It is woken when the first is chosen and when
 * the last is closed or no longer chosen.
 */
_Atomic uint32_t *spans_chosen(void);

/* ---- sessions --------------------------------------------------------------------------------- */

enum span_event_type {
	SPAN_OPENED,
	SPAN_DESCRIBED,
	SPAN_CHOSEN,
	SPAN_UNCHOSEN,
	SPAN_CLOSED,
};

struct span_event {
	enum span_event_type type;
	span_key key, parent; // of a parent nothing may be known: it was closed before
	uint64_t time_ns;     // clock_now_ns(); before the reader was there it may be 4 ms too early
	pid_t tid;            // that opened it
	const char *name, *text; // until the reader's next call; NULL where they do not apply
};

/*
 * Sees all events from its creation on, and first one SPAN_OPENED for each span that is open (and
 * SPAN_CHOSEN if it is). Events of keys it has not seen opened are to be ignored.
 */
struct span_reader;

/* NULL: no memory. */
struct span_reader *span_reader_create(void);
void span_reader_destroy(struct span_reader *reader);

/* False: no more at present. */
bool span_reader_next(struct span_reader *reader, struct span_event *ret);

/* Spans that it was not shown, because too many events were not read in time. */
uint64_t span_reader_lost(const struct span_reader *reader);

/* Whether there is any reader: what is done only for sessions can be left undone. */
bool spans_wanted(void);

/* ---- for callers that keep the texts themselves ------------------------------------------------ */

/* What is kept of an open span. Private, but for its place: zeroed before use, and it may not move. */
struct open_span {
	struct open_span *next, **link; // of its bucket
	span_key key, parent;
	uint64_t time_ns;
	pid_t tid;
	bool chosen, shown, owned;
	const char *name, *text; // the caller's, until it is closed
	char *copy;              // of the text, if it was described
};

/* As spans_open(), without copies and without allocating; `span` is free again after spans_close(). */
span_key spans_open_at(struct open_span *span, span_key parent, const char *name, const char *text);

/* ---- forks ------------------------------------------------------------------------------------ */

/* In the child; done by itself (pthread_atfork) wherever the C library forks. Again: does nothing. */
void spans_after_fork(void);

#endif
