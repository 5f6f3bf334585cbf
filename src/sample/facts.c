// SPDX-License-Identifier: MIT
#include "sample/facts.h"

#include <sys/utsname.h>

#include "base/clock.h"

void facts_begin(struct capture *c, uint64_t start_ns, uint64_t period_ns)
{
	struct utsname machine;

	capture_set_fact(c, FACT_TOOL, "fireglass " FIREGLASS_VERSION);
	capture_set_fact(c, FACT_CLOCK, "CLOCK_REALTIME");
	capture_set_fact_u64(c, FACT_START_NS, start_ns);
	if (period_ns)
		capture_set_fact_u64(c, FACT_PERIOD_NS, period_ns);
	if (uname(&machine) != 0)
		return;
	capture_set_fact(c, FACT_HOST, machine.nodename);
	capture_set_fact(c, FACT_KERNEL, machine.release);
	capture_set_fact(c, FACT_ARCH, machine.machine);
}

void facts_counts(struct capture *c, uint64_t ticks, const uint64_t rungs[LADDER_RUNGS])
{
	static const char *const names[LADDER_RUNGS] = {
		[LADDER_DIRECT] = FACT_RUNG "direct",
		[LADDER_COSCHEDULED] = FACT_RUNG "coscheduled",
		[LADDER_STOPPED] = FACT_RUNG "stopped",
		[LADDER_TRUNCATED] = FACT_RUNG "truncated",
	};

	capture_set_fact_u64(c, FACT_TICKS, ticks);
	for (int i = 0; i < LADDER_RUNGS; i++)
		capture_set_fact_u64(c, names[i], rungs[i]);
}

void facts_loss(struct capture *c, enum capture_loss_kind kind, uint64_t now, uint64_t *known)
{
	const struct capture_loss loss = {
		.time_ns = clock_wall_ns(), .kind = kind, .count = now - *known
	};

	if (now == *known)
		return;
	capture_add_loss(c, &loss);
	*known = now;
}
