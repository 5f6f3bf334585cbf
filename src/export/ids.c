// SPDX-License-Identifier: MIT
#include "export/ids.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/intern.h"

/* Adds the id unless a row has it. */
static bool take_id(struct intern *taken, const uint32_t *ids, uint32_t row)
{
	uint64_t hash = intern_hash2(ids[row], 0);

	for (struct intern_probe at = intern_begin(taken, hash); intern_next(taken, &at);)
		if (ids[at.row] == ids[row])
			return false;
	intern_add(taken, hash, row);
	return true;
}

static void choose_id(struct intern *taken, uint32_t *ids, uint32_t row, uint32_t known)
{
	ids[row] = known;
	if (known && known < EXPORT_IDS_MADE_UP && take_id(taken, ids, row))
		return;
	// known ids stay below this, so that it is free
	ids[row] = EXPORT_IDS_MADE_UP + row;
}

void export_ids_init(struct export_ids *ids, const struct capture *c)
{
	struct intern pids = { 0 }, tids = { 0 };

	ids->pids = xcalloc(c->process_count, sizeof(*ids->pids));
	ids->tids = xcalloc(c->thread_count, sizeof(*ids->tids));
	for (size_t i = 0; i < c->process_count; i++)
		choose_id(&pids, ids->pids, (uint32_t)i, c->processes[i].pid);
	for (size_t i = 0; i < c->thread_count; i++)
		choose_id(&tids, ids->tids, (uint32_t)i, c->threads[i].tid);
	intern_deinit(&pids);
	intern_deinit(&tids);
}

void export_ids_deinit(struct export_ids *ids)
{
	free(ids->pids);
	free(ids->tids);
	*ids = (struct export_ids){ 0 };
}

uint32_t export_ids_pid(const struct export_ids *ids, const struct capture *c, uint32_t process)
{
	if (process < c->process_count)
		return ids->pids[process];
	return c->process_count ? ids->pids[0] : 1;
}
