// SPDX-License-Identifier: MIT
/* The text of /proc/PID/maps. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "os/maps.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xmalloc(size + 1);
	struct maps m;

	if (size)
		memcpy(text, data, size);
	text = xreallocarray(text, size ? size : 1, 1); // nothing may be read beyond the end
	maps_parse(&m, text, size);
	for (size_t i = 0; i < m.count; i++) {
		const struct map *map = &m.entries[i];

		if (map->start >= map->end || (i && m.entries[i - 1].end > map->start))
			abort();
		if (map->path < m.text || map->path + strlen(map->path) >= m.text + size)
			abort();
		if (maps_find(&m, map->start) != map || maps_find(&m, map->end - 1) != map)
			abort();
	}
	maps_deinit(&m);
	return 0;
}
