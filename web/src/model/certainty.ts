// SPDX-License-Identifier: MIT
/** How sure a number is that was sampled. */

/** 95 % interval of a share of which `count` of `sum` samples were seen (Wilson). 0 <= low <= high <= 1. */
export function interval(count: number, sum: number): { low: number; high: number } {
	throw new Error(`not yet: ${count} ${sum}`);
}
