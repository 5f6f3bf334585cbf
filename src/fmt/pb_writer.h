// SPDX-License-Identifier: MIT
/*
 * Protocol buffers, written field by field.
 *
 * A message is built in a buffer; one within another is built first and then put into it as bytes.
 * As proto3 has it, a field that is 0 or empty is left out.
 */
#ifndef FIREGLASS_FMT_PB_WRITER_H
#define FIREGLASS_FMT_PB_WRITER_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* A field of type uint64, uint32, int64 (its bits), bool or enum. */
void pb_put_u64(struct buf *out, uint32_t field, uint64_t value);

/* A field of type string or bytes, or a message, or packed numbers. */
void pb_put_bytes(struct buf *out, uint32_t field, const void *bytes, size_t len);

/* As above, but written even when it is empty: elements of repeated fields. */
void pb_put_element(struct buf *out, uint32_t field, const void *bytes, size_t len);

/* One of packed numbers: without a tag. */
void pb_put_number(struct buf *out, uint64_t value);

#endif
