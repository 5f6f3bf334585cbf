// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "golden.h"

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/iofd.h"

#define GOLDEN_MAX_BYTES ((size_t)16 << 20)

static char *golden_path(const char *name)
{
	const char *folder = getenv("FIREGLASS_GOLDEN_DIR");

	return xasprintf("%s/%s", folder ? folder : "tests/golden", name);
}

static void record(const char *path, const char *text, size_t len)
{
	_cleanup_fclose_ FILE *f = fopen(path, "we");

	if (!f || fwrite(text, 1, len, f) != len)
		fail_msg("cannot record %s", path);
}

static void fail_at(const char *path, const char *want, const char *got)
{
	int line = 1;
	size_t start = 0;

	for (size_t i = 0; want[i] == got[i] && want[i]; i++) {
		if (want[i] != '\n')
			continue;
		line++;
		start = i + 1;
	}
	fail_msg("%s:%d differs\n want: %.*s\n  got: %.*s\nto accept what it is now: "
		 "FIREGLASS_RECORD_GOLDEN=1",
		path, line, (int)strcspn(want + start, "\n"), want + start,
		(int)strcspn(got + start, "\n"), got + start);
}

void golden_check(const char *name, const char *text, size_t len)
{
	_cleanup_free_ char *path = golden_path(name);
	_cleanup_buf_ struct buf want = BUF_INIT;

	if (getenv("FIREGLASS_RECORD_GOLDEN")) {
		record(path, text, len);
		return;
	}
	if (iofd_read_file(path, GOLDEN_MAX_BYTES, &want) != 0)
		fail_msg("cannot read %s; record it with FIREGLASS_RECORD_GOLDEN=1", path);
	if (want.len != len || memcmp(buf_str(&want), text, len) != 0)
		fail_at(path, buf_str(&want), text);
}
