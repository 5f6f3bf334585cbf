// SPDX-License-Identifier: MIT
/* The texts of /proc/PID/stat, status, schedstat and cmdline. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "os/proc.h"

#define COMMAND_BYTES_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void quote(const char *text, size_t size)
{
	struct buf out = BUF_INIT;

	proc_quote_arguments(text, size, COMMAND_BYTES_MAX, &out);
	if (out.len > COMMAND_BYTES_MAX)
		abort();
	for (size_t i = 0; i < out.len; i++) {
		if ((unsigned char)out.data[i] < 0x20)
			abort(); // a command line is printed to terminals
	}
	buf_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = size ? xstrndup((const char *)data, size) : xstrdup("");
	struct proc_stat stat;
	struct proc_status status;
	struct proc_schedstat sched;
	struct proc_syscall call;

	if (proc_parse_stat(text, &stat) &&
		(stat.ppid < 0 || strlen(stat.comm) >= sizeof(stat.comm)))
		abort();
	if (proc_parse_status(text, &status) && (status.tgid < 0 || status.ns_pid < 0))
		abort();
	proc_parse_schedstat(text, &sched);
	proc_parse_syscall(text, &call);
	free(text);
	quote((const char *)data, size);
	return 0;
}
