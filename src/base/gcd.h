// SPDX-License-Identifier: MIT
/* The largest number of which two are multiples. */
#ifndef FIREGLASS_BASE_GCD_H
#define FIREGLASS_BASE_GCD_H

#include <stdint.h>

/* 0 is a multiple of all: of 0 and a number it is the number. */
static inline uint64_t gcd(uint64_t a, uint64_t b)
{
	while (b) {
		uint64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

#endif
