// SPDX-License-Identifier: MIT
/*
 * What the kernel alone allows: reads of one range of 4 KiB of another process, as fast as they go.
 *
 *	readv_floor PID SECONDS
 *
 * Prints reads per second. Reads the first writable mapping of the process.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <time.h>

#define RANGE 4096
#define READS_PER_LOOK 1000

static uint64_t writable_address(const char *pid)
{
	char path[64], line[512], mode[5];
	uint64_t begin, end, found = 0;

	snprintf(path, sizeof(path), "/proc/%.20s/maps", pid);
	FILE *f = fopen(path, "r");
	if (!f)
		return 0;
	while (!found && fgets(line, sizeof(line), f))
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", &begin, &end, mode) == 3 &&
			mode[0] == 'r' && mode[1] == 'w' && end - begin >= RANGE)
			found = begin;
	fclose(f);
	return found;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	static char buffer[RANGE];

	if (argc != 3) {
		fprintf(stderr, "usage: readv_floor PID SECONDS\n");
		return 2;
	}
	uint64_t address = writable_address(argv[1]), count = 0;
	struct iovec local = { buffer, RANGE };
	struct iovec remote = { (void *)(uintptr_t)address, RANGE };
	int pid = atoi(argv[1]);
	double begin = now(), end = begin + atof(argv[2]), at = begin;

	while (address && at < end) {
		for (int i = 0; i < READS_PER_LOOK; i++)
			if (process_vm_readv(pid, &local, 1, &remote, 1, 0) != RANGE) {
				perror("process_vm_readv");
				return 1;
			}
		count += READS_PER_LOOK;
		at = now();
	}
	if (!count) {
		fprintf(stderr, "readv_floor: nothing to read in process %s\n", argv[1]);
		return 1;
	}
	printf("%.0f\n", (double)count / (at - begin));
	return 0;
}
