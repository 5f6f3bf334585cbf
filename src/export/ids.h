// SPDX-License-Identifier: MIT
/*
 * Process and thread ids for formats that know processes and threads by nothing else.
 *
 * They are the kernel's where these are known and no other row has them. Rows whose id is not known,
 * or was used again, get one that cannot be a kernel's: above EXPORT_IDS_MADE_UP.
 */
#ifndef FIREGLASS_EXPORT_IDS_H
#define FIREGLASS_EXPORT_IDS_H

#include <stdint.h>

#include "store/capture.h"

#define EXPORT_IDS_MADE_UP 10000000u /* Linux ends at 4194304 */

struct export_ids {
	uint32_t *pids; // by row of the capture's processes
	uint32_t *tids; // by row of its threads; no two are equal, in whatever processes
};

void export_ids_init(struct export_ids *ids, const struct capture *c);
void export_ids_deinit(struct export_ids *ids);

/*
 * The pid of the process of a thread, where there may be none (CAPTURE_NONE, or a capture without
 * processes): then that of the first process, or 1.
 */
uint32_t export_ids_pid(const struct export_ids *ids, const struct capture *c, uint32_t process);

#endif
