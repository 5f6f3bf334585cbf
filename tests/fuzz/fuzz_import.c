// SPDX-License-Identifier: MIT
/*
 * Each importer, on anything: an error and an empty capture, or a capture of which all can be read.
 *
 * Input: one byte, the place of the format in importers[] (beyond the last: it is guessed), then the
 * file.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "import_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t count_formats(void)
{
	size_t count = 0;

	while (importers[count])
		count++;
	return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct capture c;

	if (!size)
		return 0;
	size_t which = data[0], len = size - 1;
	const char *format = which < count_formats() ? importers[which]->name : NULL;
	char *copy = malloc(len + 1);
	memcpy(copy, data + 1, len);
	copy[len] = 0;
	capture_init(&c);
	struct err *err = import_bytes(&c, copy, len, format, NULL);
	if (err)
		import_check_empty(&c);
	else
		import_check_whole(&c);
	err_free(err);
	capture_deinit(&c);
	free(copy);
	return 0;
}
