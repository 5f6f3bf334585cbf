// SPDX-License-Identifier: MIT
/*
 * The recordings in tests/images: the memory of a parked program under each release of CPython,
 * with what Python itself said of its threads and frames. tools/record_images.py makes them.
 *
 * The tree is looked for in FIREGLASS_SOURCE, else in the working directory.
 */
#ifndef FIREGLASS_TESTS_IMAGES_H
#define FIREGLASS_TESTS_IMAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "os/mem_image.h"
#include "pyabi/runtime.h"

#define RECORDED_FRAMES_MAX 32
#define RECORDED_THREADS_MAX 4

struct recorded_frame {
	uint32_t line, first_line;
	const char *name, *file;
};

struct recorded_thread {
	uint64_t pthread;
	bool main;
	const char *name;
	struct recorded_frame frames[RECORDED_FRAMES_MAX]; // leaf first
	size_t frame_count;
};

struct recording {
	struct mem_image image;
	struct py_runtime rt;
	remote_addr interpreter;
	char sys_version[32];
	pid_t tids[RECORDED_THREADS_MAX]; // the main thread's is the first
	size_t tid_count;
	struct recorded_thread threads[RECORDED_THREADS_MAX];
	size_t thread_count;
	struct buf text; // the strings point into it
};

/* Every release that has a recording, oldest first; ends with NULL. */
extern const char *const recorded_releases[];

/* Loads "3.11"; ends the program with a message if it cannot. */
void recording_load(struct recording *r, const char *release);
void recording_deinit(struct recording *r);

/* What Python said of the thread with this pthread_self(), or NULL. */
const struct recorded_thread *recording_thread(const struct recording *r, uint64_t pthread);

/* A file of tests/; ends the program with a message if it cannot be read. */
void test_file_read(const char *name, struct buf *out);

#endif
