// SPDX-License-Identifier: MIT
#include <pthread.h>
#include <stdatomic.h>

#include "base/err.h"
#include "inside/session_parts.h"
#include "inside/timers.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static atomic_uint forks;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct session *sessions; // with lock

/* ---- forks ------------------------------------------------------------------------------------ */

/*
 * Called in the child wherever the C library forks: no other thread is there. One may have had the
 * lock, and any session may have been in any state.
 */
static void forked(void)
{
	atomic_fetch_add(&forks, 1);
	pthread_mutex_init(&lock, NULL);
	sessions = NULL;
	timers_after_fork();
}

static void follow(void)
{
	pthread_atfork(NULL, NULL, forked);
}

unsigned int session_forks(void)
{
	pthread_once(&once, follow);
	return atomic_load(&forks);
}

/* ---- all that run ----------------------------------------------------------------------------- */

void session_enlist(struct session *s)
{
	pthread_mutex_lock(&lock);
	s->next = sessions;
	s->link = &sessions;
	if (sessions)
		sessions->link = &s->next;
	sessions = s;
	pthread_mutex_unlock(&lock);
}

void session_delist(struct session *s)
{
	pthread_mutex_lock(&lock);
	*s->link = s->next;
	if (s->next)
		s->next->link = s->link;
	pthread_mutex_unlock(&lock);
}

/* With the lock held, so that none is freed meanwhile. */
void sessions_finish(const void *owner)
{
	session_forks();
	pthread_mutex_lock(&lock);
	for (struct session *s = sessions; s; s = s->next)
		if (s->options.owner == owner)
			err_free(session_stop(s));
	pthread_mutex_unlock(&lock);
}
