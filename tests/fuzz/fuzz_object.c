// SPDX-License-Identifier: MIT
/*
 * Objects made of the input: byte 0 chooses the release, byte 1 what is read (from 128 on values and
 * variables); the rest lies at an address that its own words may point to.
 *
 * Run it in the source tree, or set FIREGLASS_SOURCE.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/images.h"
#include "base/cleanup.h"
#include "base/utf8.h"
#include "pyabi/code.h"
#include "pyabi/locals.h"
#include "pyabi/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RELEASES 14
/* Small numbers in the input, such as 0x10080, point into it. */
#define ADDRESS ((remote_addr)0x10000)
#define READS_MAX 100000
#define VALUE_READS_MAX 2000000

static struct py_runtime *runtime(size_t index)
{
	static struct recording recordings[RELEASES];

	if (!recordings[index].text.data)
		recording_load(&recordings[index], recorded_releases[index]);
	return &recordings[index].rt;
}

static void check_text(const struct buf *text)
{
	const unsigned char *s = (const unsigned char *)buf_str(text);
	_cleanup_buf_ struct buf again = BUF_INIT;

	utf8_add_bytes(&again, s, text->len);
	if (again.len != text->len || (text->len && memcmp(again.data, s, text->len) != 0))
		abort(); // it was not valid UTF-8
	if (text->len > STRING_CODE_POINTS_MAX * 4 + 3)
		abort();
}

static bool visit(void *data, remote_addr key, remote_addr value)
{
	const struct py_memory *py = data;
	_cleanup_buf_ struct buf text = BUF_INIT;
	uint64_t number;

	if (!key || !value)
		abort();
	object_int(py, key, &number);
	if (object_text(py, value, &text) == READ_OK)
		check_text(&text);
	return true;
}

static void read_one(const struct py_memory *py, struct py_runtime *rt, unsigned int what)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	remote_addr found;
	uint64_t number;
	int32_t offset;
	char name[64];
	struct py_code code;

	switch (what % 7) {
	case 0:
		if (object_text(py, ADDRESS, &text) == READ_OK)
			check_text(&text);
		break;
	case 1:
		object_bytes(py, ADDRESS, &text);
		break;
	case 2:
		object_int(py, ADDRESS, &number);
		break;
	case 3:
		object_dict_each(py, ADDRESS, visit, (void *)py);
		object_dict_get(py, ADDRESS, "_active", &found);
		break;
	case 4:
		object_attribute(py, ADDRESS + 64, "_name", &found);
		break;
	case 5:
		if (object_type_name(py, ADDRESS, name) == READ_OK && memchr(name, 0, 64) == NULL)
			abort();
		break;
	default:
		rt->code_type = ADDRESS;
		if (code_read(rt, py->mem, ADDRESS, &code) != READ_OK)
			break;
		for (uint32_t at = 0; at < 64; at += 2)
			if (code_offset(rt, py->mem, &code.place, code.place.bytecode + at, at & 2,
				    &offset) == READ_OK)
				code_line(
					&code.lines, code.first_line, code.first_traceable, offset);
		code_deinit(&code);
	}
}

/* Small, so that there are as many paths as with large ones, but less to do. */
static const struct value_options options = {
	.depth = 3, .items = 4, .chars = 30, .attributes = true };

static void check_value(const struct py_memory *py, remote_addr object, const char *name)
{
	struct value value;

	if (value_describe(py, object, name, &options, &value) == READ_OK) {
		check_text(&value.text);
		check_text(&value.type);
		// a string or a name may come on top of what a value may have
		if (value.text.len > options.chars * VALUE_TOTAL_FACTOR + 4096)
			abort();
		for (size_t i = 0; i < value.text.len; i++)
			if ((unsigned char)value.text.data[i] < 0x20)
				abort();
	}
	value_deinit(&value);
}

static bool visit_variable(void *data, const char *name, enum local_kind kind, remote_addr object)
{
	(void)kind;
	check_value(data, object, name);
	return true;
}

static void read_values(struct py_memory *py, unsigned int what)
{
	remote_addr slots[STACK_SLOTS_MAX];
	size_t count = 0;

	switch (what % 3) {
	case 0:
		check_value(py, ADDRESS + 8, NULL);
		break;
	case 1:
		locals_each(py, ADDRESS, ADDRESS + 256, visit_variable, py);
		break;
	default:
		if (locals_stack(py, ADDRESS, ADDRESS + 256, slots, &count) == READ_OK &&
			count > STACK_SLOTS_MAX)
			abort();
		if (locals_stack_in_blocks(py, ADDRESS, ADDRESS + 256, 4, &count) == READ_OK &&
			count > STACK_SLOTS_MAX)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mem_image image;

	if (size < 3)
		return 0;
	struct py_runtime rt = *runtime(data[0] % RELEASES);
	mem_image_init(&image);
	mem_image_add(&image, ADDRESS, data + 2, size - 2);
	struct py_memory py = runtime_memory(&rt, &image.reader);
	if (data[1] >= 128)
		read_values(&py, data[1]);
	else
		read_one(&py, &rt, data[1]);
	if (image.reads > (data[1] >= 128 ? VALUE_READS_MAX : READS_MAX))
		abort();
	mem_image_deinit(&image);
	return 0;
}
