// SPDX-License-Identifier: MIT
#include "inside/contexts.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "os/mem_live.h"

#define BITS 5 // of the hash, per level
#define LEVELS 7
#define PAGE 4096
#define WORD ((uint64_t)sizeof(uint64_t))

/* What of a node is read at once: a small one is whole in it. */
#define NODE_BYTES 256

struct node {
	uint64_t at;
	size_t size; // bytes of it
	uint64_t words[NODE_BYTES / sizeof(uint64_t)];
};

static struct {
	struct context_map map;
	atomic_bool ready;
	struct mem_live memory;
} contexts;

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void set_up(void)
{
	mem_live_init(&contexts.memory, getpid());
}

static struct mem_reader *memory(void)
{
	pthread_once(&once, set_up);
	return &contexts.memory.reader;
}

void contexts_use(const struct context_map *map)
{
	if (map)
		contexts.map = *map;
	atomic_store_explicit(&contexts.ready, map != NULL, memory_order_release);
}

bool contexts_ready(void)
{
	return atomic_load_explicit(&contexts.ready, memory_order_acquire);
}

void contexts_after_fork(void)
{
	memory();
	mem_live_deinit(&contexts.memory);
	mem_live_init(&contexts.memory, getpid());
}

static uint64_t word_at(uint64_t address)
{
	uint64_t word;

	return mem_read_u64(memory(), address, &word) == READ_OK ? word : 0;
}

/* As much of it as is on its page: what lies behind may be anything, or nothing at all. */
static bool read_node(uint64_t at, struct node *ret)
{
	uint64_t rest = PAGE - at % PAGE;

	ret->at = at;
	ret->size = rest < NODE_BYTES ? (size_t)rest : NODE_BYTES;
	return mem_read(memory(), at, ret->words, ret->size) == READ_OK;
}

static uint64_t node_word(const struct node *node, uint64_t offset)
{
	if (offset + WORD <= node->size && offset % WORD == 0)
		return node->words[offset / WORD];
	return word_at(node->at + offset);
}

/* A step down: `next` is the node below; or the search is over, with `value`, or 0 for none. */
struct step {
	uint64_t next, value;
};

/* Head: size, a bit per branch that there is; then a pair of words per branch: 0 and the node below, or
 * a variable and its value. */
static struct step step_bitmap(const struct context_map *map, const struct node *node, uint32_t digit)
{
	uint32_t bits = (uint32_t)node_word(node, map->header + WORD);
	uint64_t pairs = map->header + 2 * WORD;

	if (!(bits >> digit & 1))
		return (struct step){ 0 };
	uint32_t before = (uint32_t)__builtin_popcount(bits & (((uint32_t)1 << digit) - 1));
	uint64_t variable = node_word(node, pairs + before * 2 * WORD);
	uint64_t other = node_word(node, pairs + (before * 2 + 1) * WORD);
	if (!variable)
		return (struct step){ .next = other };
	return (struct step){ .value = variable == map->variable ? other : 0 };
}

static struct step step_down(const struct context_map *map, const struct node *node, int level)
{
	uint32_t digit = map->hash >> (unsigned)(level * BITS) & 31;
	uint64_t type = node_word(node, map->header - WORD);

	if (type == map->bitmap_type)
		return step_bitmap(map, node, digit);
	if (type == map->array_type)
		return (struct step){ .next = node_word(node, map->header + digit * WORD) };
	return (struct step){ 0 }; // variables of equal hash: hardly ever
}

static uint64_t find_value(const struct context_map *map, uint64_t context)
{
	uint64_t vars = word_at(context + map->context_vars);
	uint64_t at = vars ? word_at(vars + map->vars_root) : 0;
	struct node node;

	for (int level = 0; at && level < LEVELS; level++) {
		if (!read_node(at, &node))
			return 0;
		const struct step step = step_down(map, &node, level);
		if (!step.next)
			return step.value;
		at = step.next;
	}
	return 0;
}

static uint64_t key_of(const struct context_map *map, uint64_t value)
{
	struct node object;

	if (!value || !read_node(value, &object))
		return 0;
	if (node_word(&object, map->header - WORD) != map->value_type)
		return 0;
	return node_word(&object, map->value_key);
}

uint64_t context_key(const struct context_map *map, uint64_t state)
{
	uint64_t context = word_at(state + map->state_context);

	return context ? key_of(map, find_value(map, context)) : 0;
}

bool contexts_look(struct span_look *look, uint64_t state, const struct slot_state *slot)
{
	uint64_t words[2] = { 0 }; // the context, how often it was switched

	if (mem_read(memory(), state + contexts.map.state_context, words, sizeof(words)) != READ_OK) {
		*look = (struct span_look){ 0 };
		return false;
	}
	uint64_t turn = words[1] + (slot->turn << 32);
	if (look->state == state && look->context == words[0] && look->turn == turn)
		return true;
	*look = (struct span_look){ .state = state, .context = words[0], .turn = turn };
	if (slot->context && slot->context == words[0])
		look->key = slot->key;
	else if (words[0])
		look->key = key_of(&contexts.map, find_value(&contexts.map, words[0]));
	return false;
}
