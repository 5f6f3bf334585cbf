// SPDX-License-Identifier: MIT
/* Hashes of bytes. */
#ifndef FIREGLASS_BASE_HASH_H
#define FIREGLASS_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* XXH3, 64 bits; the same on every machine. */
uint64_t hash_bytes(const void *bytes, size_t len);

#endif
