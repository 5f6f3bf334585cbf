// SPDX-License-Identifier: MIT
/*
 * The command line of a process, from the top of its first stack, as the kernel made it for execve
 * (create_elf_tables() in fs/binfmt_elf.c):
 *
 *	argc | argv[0] ... 0 | envp[0] ... 0 | auxiliary vector | ... | strings | name of the program
 *
 * The notes have a copy of the auxiliary vector; where it stands in memory the rest is before it.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/utf8.h"
#include "os/mem_core.h"
#include "os/proc.h"

#define STACK_TOP_BYTES ((size_t)8 << 20) // the kernel allows 6 MiB of strings
#define CHUNK_BYTES ((size_t)64 << 10)
#define AUXV_COMPARED ((size_t)64)
#define POINTERS_MAX ((size_t)1 << 18)

/* Where the auxiliary vector is; 0 if it was not found. */
static remote_addr find_auxv(struct mem_core *core)
{
	_cleanup_free_ unsigned char *bytes = xmalloc(CHUNK_BYTES);
	const struct core_notes *notes = &core->notes;
	remote_addr end = notes->execfn & ~(remote_addr)7;

	if (notes->auxv_bytes < AUXV_COMPARED)
		return 0;
	for (size_t done = 0; done < STACK_TOP_BYTES && end > CHUNK_BYTES;) {
		remote_addr start = end - CHUNK_BYTES;
		size_t len = CHUNK_BYTES;

		// the stack may begin within
		while (len > AUXV_COMPARED &&
			mem_read(&core->reader, start, bytes, len) != READ_OK) {
			len /= 2;
			start = end - len;
		}
		if (len <= AUXV_COMPARED)
			return 0;
		for (size_t i = len - AUXV_COMPARED + 8; i >= 8; i -= 8)
			if (memcmp(bytes + i - 8, notes->auxv, AUXV_COMPARED) == 0)
				return start + i - 8;
		end = start + AUXV_COMPARED;
		done += len - AUXV_COMPARED;
	}
	return 0;
}

/* Goes back over pointers until a 0; where it is, or 0. */
static remote_addr back_to_zero(struct mem_core *core, remote_addr at)
{
	uint64_t word;

	for (size_t n = 0; n < POINTERS_MAX; n++, at -= 8) {
		if (mem_read_u64(&core->reader, at, &word) != READ_OK)
			return 0;
		if (!word)
			return at;
	}
	return 0;
}

/* argc, and the address of the first argument's text. */
static bool find_arguments(struct mem_core *core, uint64_t *argc_ret, remote_addr *first_ret)
{
	remote_addr auxv = find_auxv(core);
	remote_addr end_of_env = auxv ? back_to_zero(core, auxv - 8) : 0;
	remote_addr end_of_args = end_of_env ? back_to_zero(core, end_of_env - 8) : 0;
	uint64_t word, first = 0;

	for (uint64_t n = 0; end_of_args && n < POINTERS_MAX; n++, first = word) {
		if (mem_read_u64(&core->reader, end_of_args - 8 - n * 8, &word) != READ_OK)
			return false;
		if (word != n)
			continue;
		*argc_ret = n;
		*first_ret = first;
		return n > 0;
	}
	return false;
}

/* Up to `cap` bytes of the arguments' texts, which follow each other. */
static size_t read_arguments(
	struct mem_core *core, uint64_t argc, remote_addr first, char *text, size_t cap)
{
	size_t len = 0;

	if (first >= core->notes.execfn)
		return 0;
	if (core->notes.execfn - first < cap)
		cap = (size_t)(core->notes.execfn - first);
	if (mem_read(&core->reader, first, text, cap) != READ_OK)
		return 0;
	while (argc && len < cap)
		argc -= !text[len++];
	return len;
}

void mem_core_command_line(struct mem_core *core, size_t cap, struct buf *out)
{
	_cleanup_free_ char *text = xmalloc(cap + 1);
	const char *beginning = core->notes.arguments;
	remote_addr first;
	uint64_t argc;

	size_t len = find_arguments(core, &argc, &first)
		? read_arguments(core, argc, first, text, cap + 1)
		: 0;
	if (len)
		proc_quote_arguments(text, len, cap, out);
	else
		utf8_add_bytes(out, beginning, strlen(beginning));
}
