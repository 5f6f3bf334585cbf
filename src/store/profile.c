// SPDX-License-Identifier: MIT
#include "store/profile.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"

void profile_init(struct profile *p)
{
	*p = (struct profile){ 0 };
	profile_string(p, "", 0);
}

void profile_deinit(struct profile *p)
{
	arena_deinit(&p->text);
	free(p->strings);
	free(p->functions);
	free(p->frames);
	free(p->stacks);
	free(p->weights);
	intern_deinit(&p->string_index);
	intern_deinit(&p->function_index);
	intern_deinit(&p->frame_index);
	intern_deinit(&p->stack_index);
	*p = (struct profile){ 0 };
}

string_id profile_string(struct profile *p, const char *text, size_t len)
{
	uint64_t hash = hash_bytes(text, len);

	if (len > UINT32_MAX)
		len = UINT32_MAX;
	for (struct intern_probe at = intern_begin(&p->string_index, hash);
		intern_next(&p->string_index, &at);) {
		const struct store_string *s = &p->strings[at.row];

		if (s->len == len && memcmp(s->text, text, len) == 0)
			return at.row;
	}
	string_id id = (string_id)p->string_count++;
	array_reserve(p->strings, p->string_capacity, p->string_count);
	p->strings[id].text = arena_strndup(&p->text, text, len);
	p->strings[id].len = (uint32_t)len;
	intern_add(&p->string_index, hash, id);
	return id;
}

function_id profile_function(struct profile *p, const struct store_function *f)
{
	uint64_t names = (uint64_t)f->name << 32 | f->file;
	uint64_t hash = intern_hash2(names, (uint64_t)f->first_line << 8 | f->kind);

	for (struct intern_probe at = intern_begin(&p->function_index, hash);
		intern_next(&p->function_index, &at);) {
		const struct store_function *g = &p->functions[at.row];

		if (g->name == f->name && g->file == f->file && g->first_line == f->first_line &&
			g->kind == f->kind)
			return at.row;
	}
	function_id id = (function_id)p->function_count++;
	array_reserve(p->functions, p->function_capacity, p->function_count);
	p->functions[id] = *f;
	intern_add(&p->function_index, hash, id);
	return id;
}

frame_id profile_frame(struct profile *p, function_id function, uint32_t line)
{
	uint64_t hash = intern_hash2(function, line);

	for (struct intern_probe at = intern_begin(&p->frame_index, hash);
		intern_next(&p->frame_index, &at);) {
		const struct store_frame *f = &p->frames[at.row];

		if (f->function == function && f->line == line)
			return at.row;
	}
	frame_id id = (frame_id)p->frame_count++;
	array_reserve(p->frames, p->frame_capacity, p->frame_count);
	p->frames[id] = (struct store_frame){ .function = function, .line = line };
	intern_add(&p->frame_index, hash, id);
	return id;
}

stack_id profile_stack(struct profile *p, stack_id parent, frame_id frame)
{
	uint64_t hash = intern_hash2(parent, frame);

	for (struct intern_probe at = intern_begin(&p->stack_index, hash);
		intern_next(&p->stack_index, &at);) {
		const struct store_stack *s = &p->stacks[at.row];

		if (s->parent == parent && s->frame == frame)
			return at.row;
	}
	stack_id id = (stack_id)p->stack_count++;
	array_reserve(p->stacks, p->stack_capacity, p->stack_count);
	array_reserve(p->weights, p->weight_capacity, p->stack_count);
	p->stacks[id] = (struct store_stack){ .parent = parent, .frame = frame };
	p->weights[id] = 0;
	intern_add(&p->stack_index, hash, id);
	return id;
}

frame_id profile_plain_frame(struct profile *p, enum function_kind kind, const char *name)
{
	struct store_function f = {
		.name = profile_string(p, name, strlen(name)),
		.kind = kind,
	};

	return profile_frame(p, profile_function(p, &f), 0);
}

void profile_rename(struct profile *p, function_id function, const char *name)
{
	p->functions[function].name = profile_string(p, name, strlen(name));
}

void profile_add_sample(struct profile *p, stack_id stack, uint64_t weight)
{
	p->weights[stack] += weight;
	p->total += weight;
}

const char *profile_text(const struct profile *p, string_id id)
{
	return p->strings[id].text;
}

size_t profile_depth(const struct profile *p, stack_id stack)
{
	size_t depth = 0;

	for (; stack != STACK_NONE; stack = p->stacks[stack].parent)
		depth++;
	return depth;
}
