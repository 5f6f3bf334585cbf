// SPDX-License-Identifier: MIT
#include "os/pin.h"

void pin_init(struct pin *pin)
{
	CPU_ZERO(&pin->original);
	sched_getaffinity(0, sizeof(pin->original), &pin->original);
	pin->cpu = -1;
}

bool pin_to(struct pin *pin, int cpu)
{
	cpu_set_t one;

	if (pin->cpu == cpu)
		return true;
	if (cpu < 0 || cpu >= CPU_SETSIZE || !CPU_ISSET((size_t)cpu, &pin->original))
		return false;
	CPU_ZERO(&one);
	CPU_SET((size_t)cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one) != 0)
		return false;
	pin->cpu = cpu;
	return true;
}

void pin_release(struct pin *pin)
{
	if (pin->cpu < 0)
		return;
	sched_setaffinity(0, sizeof(pin->original), &pin->original);
	pin->cpu = -1;
}

bool pin_leave(struct pin *pin)
{
	cpu_set_t others = pin->original;
	int cpu = pin->cpu >= 0 ? pin->cpu : pin_current_cpu();

	if (cpu >= 0)
		CPU_CLR((size_t)cpu, &others);
	bool left = CPU_COUNT(&others) > 0 && sched_setaffinity(0, sizeof(others), &others) == 0;
	sched_setaffinity(0, sizeof(pin->original), &pin->original);
	pin->cpu = -1;
	return left;
}

int pin_current_cpu(void)
{
	return sched_getcpu();
}
