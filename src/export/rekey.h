// SPDX-License-Identifier: MIT
/*
 * A profile under the names that a format can hold: functions that the format cannot tell apart
 * become one before anything is added up, so that a stack counts once for each of them.
 */
#ifndef FIREGLASS_EXPORT_REKEY_H
#define FIREGLASS_EXPORT_REKEY_H

#include "store/profile.h"

/*
 * `key` gives the function as it is to be in `to`, its strings being of `to`. `to` is empty
 * (profile_init()); lines, stacks and weights are kept.
 */
void rekey_profile(struct profile *to, const struct profile *from,
	struct store_function (*key)(struct profile *to, const struct profile *from,
		const struct store_function *f));

#endif
