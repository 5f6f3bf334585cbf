// SPDX-License-Identifier: MIT
/*
 * A core file: opening it, reading its memory here and there, and finding the Python in it. The files
 * that it names are looked for in a directory that has none.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "base/iofd.h"
#include "os/mem_core.h"
#include "pyabi/code.h"
#include "pyabi/stack.h"
#include "pyabi/threads.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define EMPTY_DIRECTORY "/proc/self/map_files" // names that no core has
#define LOOKS 64
#define THREADS_LOOKED_AT 4

/* No byte may come from anywhere but the input; zeros of short files are not to be had here. */
static void look_around(struct mem_core *core)
{
	unsigned char bytes[256];

	for (size_t i = 0; i < core->count && i < LOOKS; i++) {
		const struct core_segment *s = &core->segments[i];

		if (s->start >= s->end || s->there > s->written || s->written > s->end - s->start ||
			(i && s->start < core->segments[i - 1].end))
			abort();
		bool whole = s->there >= sizeof(bytes);
		bool got = mem_read(&core->reader, s->start, bytes, sizeof(bytes)) == READ_OK;
		if (whole && !got)
			abort();
		mem_read(&core->reader, s->end - 1, bytes, sizeof(bytes));
	}
}

static void check_maps(const struct maps *maps)
{
	for (size_t i = 0; i < maps->count; i++) {
		if (maps->entries[i].start >= maps->entries[i].end)
			abort();
		if (i && maps->entries[i].start < maps->entries[i - 1].end)
			abort();
	}
}

static void walk_core(struct mem_core *core, const struct maps *maps)
{
	_cleanup_(threads_deinit) struct py_threads threads = { 0 };
	struct py_runtime rt;
	struct err *err = runtime_detect(&rt, &core->reader, maps, 0, "/usr/bin/python3");

	if (err) {
		err_free(err);
		return;
	}
	rt.partial = true;
	if (threads_list(&rt, &core->reader, &threads) != READ_OK)
		return;
	for (size_t i = 0; i < threads.count && i < THREADS_LOOKED_AT; i++) {
		const struct raw_stack *stack = NULL;
		struct stack_reader reader;

		stack_reader_init(&reader, threads.items[i].state, threads.items[i].interp);
		if (stack_reader_read(&reader, &rt, &core->reader, 4, &stack) == READ_OK)
			for (size_t k = 0; k < stack->count && k < LOOKS; k++) {
				struct py_code code;

				if (code_read(&rt, &core->reader, stack->frames[k].code, &code) ==
					READ_OK)
					code_deinit(&code);
			}
		stack_reader_deinit(&reader);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(maps_deinit) struct maps maps = { 0 };
	_cleanup_buf_ struct buf command = BUF_INIT;
	struct mem_core core;
	int fd = memfd_create("core", MFD_CLOEXEC);

	if (fd < 0 || iofd_write_all(fd, data, size) != 0)
		abort();
	struct err *err = mem_core_open_fd(&core, fd, "core", EMPTY_DIRECTORY);
	if (!err) {
		look_around(&core);
		mem_core_maps(&core, &maps);
		check_maps(&maps);
		walk_core(&core, &maps);
		mem_core_command_line(&core, 256, &command);
	}
	err_free(err);
	mem_core_deinit(&core);
	return 0;
}
