// SPDX-License-Identifier: MIT
#include "import/json_util.h"

#include <stdio.h>
#include <string.h>

char json_util_first(const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!memchr(" \t\r\n", data[i], 4))
			return data[i];
	return 0;
}

bool json_util_mentions(const char *data, size_t len, const char *name)
{
	char quoted[64];
	int n = snprintf(quoted, sizeof(quoted), "\"%s\"", name);

	return memmem(data, len, quoted, (size_t)n) != NULL;
}

struct slice json_util_slice(const struct json_value *v)
{
	struct slice s = SLICE_NONE;

	s.text = json_value_text(v, &s.len);
	return s;
}

struct slice json_util_text(const struct json_value *object, const char *key)
{
	return json_util_slice(json_value_get(object, key));
}

uint64_t json_util_u64(const struct json_value *object, const char *key)
{
	int64_t value;

	if (!json_value_whole(json_value_get(object, key), &value) || value < 0)
		return 0;
	return (uint64_t)value;
}

double json_util_number(const struct json_value *object, const char *key, double missing)
{
	double value;

	return json_value_number(json_value_get(object, key), &value) ? value : missing;
}
