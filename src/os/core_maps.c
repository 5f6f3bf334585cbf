// SPDX-License-Identifier: MIT
/* The memory map of a process as its core file tells it: segments, and what files were mapped to. */
#include <stdlib.h>

#include "base/alloc.h"
#include "os/mem_core.h"

static void add_map(struct mem_core *core, struct maps *maps, size_t *capacity,
	const struct core_segment *s, const struct core_mapping *m)
{
	struct map map = {
		.start = s->start,
		.end = s->end,
		.readable = s->readable,
		.writable = s->writable,
		.executable = s->executable,
		.path = "",
	};

	if (m) {
		struct core_file *file = &core->files.files[m->file];

		map.offset = m->offset + (s->start - m->start);
		map.inode = m->file + 1;
		map.deleted = !core_file_check(&core->files, file);
		map.path = file->path;
		map.opener = &core->opener;
	}
	array_reserve(maps->entries, *capacity, maps->count + 1);
	maps->entries[maps->count++] = map;
}

/* A segment is one piece of memory of the process; gcore may have joined some. */
static void add_pieces(
	struct mem_core *core, struct maps *maps, size_t *capacity, const struct core_segment *s)
{
	struct core_segment piece = *s;

	for (remote_addr at = s->start; at < s->end; at = piece.end) {
		remote_addr next;
		const struct core_mapping *m = core_notes_mapping(&core->notes, at, &next);
		remote_addr end = m ? m->end : next;

		piece.start = at;
		piece.end = end < s->end ? end : s->end;
		add_map(core, maps, capacity, &piece, m);
	}
}

static int compare_maps(const void *a, const void *b)
{
	const struct map *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

void mem_core_maps(struct mem_core *core, struct maps *maps)
{
	size_t capacity = 0;

	*maps = (struct maps){ 0 };
	for (size_t i = 0; i < core->count; i++)
		add_pieces(core, maps, &capacity, &core->segments[i]);
	// pieces that the writer left out altogether, because they are in files
	for (size_t i = 0; i < core->notes.mapping_count; i++) {
		const struct core_mapping *m = &core->notes.mappings[i];
		remote_addr next;
		const struct core_segment *s = mem_core_segment_below(core, m->start, &next);
		struct core_segment piece = {
			.start = m->start, .readable = true, .executable = true
		};

		if (s && m->start < s->end)
			continue;
		piece.end = m->end < next ? m->end : next;
		add_map(core, maps, &capacity, &piece, m);
	}
	if (maps->count)
		qsort(maps->entries, maps->count, sizeof(*maps->entries), compare_maps);
}
