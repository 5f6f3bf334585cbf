// SPDX-License-Identifier: MIT
/*
 * What the files of the sampler share: sampler.c reads, sampler_clock.c keeps the clock, sampler_take.c
 * samples single threads for those who keep another.
 */
#ifndef FIREGLASS_SAMPLE_SAMPLER_PARTS_H
#define FIREGLASS_SAMPLE_SAMPLER_PARTS_H

#include "sample/sampler.h"

/* So long may the proof of code objects wait. */
#define SAMPLER_EPOCH_NS ((uint64_t)10000000)

/* Of one writer. */
void sampler_count(_Atomic uint64_t *counter, uint64_t n);

/* Looks what the thread says of itself; true if that has been so since the look before. */
bool sampler_look_at_tag(struct sampled_thread *t);

/* Reads until all code objects of the stack are known from before the stack was read. */
enum read_status sampler_read_known(
	struct sampler *s, struct sampled_thread *t, const struct raw_stack **raw_ret);

/* The stack as it goes through the ring, root first, in t->fresh. */
enum read_status sampler_pack(
	struct sampler *s, struct sampled_thread *t, const struct raw_stack *raw, size_t *depth_ret);

/* What came with the stack: who holds the GIL, whether the collector runs. */
void sampler_take_riders(struct sampler *s, struct sampled_thread *t);

/* All of these, again and again until it settles. *moved_ret: the thread was seen running. */
enum read_status sampler_read(struct sampler *s, struct sampled_thread *t,
	struct record_header *out, size_t *depth_ret, bool *moved_ret);

/* Hands the stack in t->fresh over. */
void sampler_push(struct sampler *s, struct sampled_thread *t, struct record_header *header,
	const struct sample_facts *facts, size_t depth);

/* Lists the threads anew when it is time, or by force. */
enum read_status sampler_follow(struct sampler *s, bool force);

/* Ends an epoch (sample/codes.h). */
void sampler_prove(struct sampler *s, bool alive);

void sampler_publish_ticks(struct sampler *s);

#endif
