// SPDX-License-Identifier: MIT
/** How sure a number is that was sampled. */

const Z = 1.959963984540054; // 95 % of a normal distribution lie within so many deviations

/**
 * 95 % interval of a share of which `count` of `sum` samples were seen (E. B. Wilson, 1927: it also
 * holds for few samples, and for none). 0 <= low <= high <= 1. Nothing is known of none: 0 to 1.
 */
export function interval(count: number, sum: number): { low: number; high: number } {
	if (!(sum > 0)) return { low: 0, high: 1 };
	const share = Math.min(1, Math.max(0, count / sum));
	const spread = (Z * Z) / sum;
	const middle = (share + spread / 2) / (1 + spread);
	const half = Math.sqrt(spread * (share * (1 - share) + spread / 4)) / (1 + spread);
	return {
		low: share === 0 ? 0 : Math.max(0, middle - half),
		high: share === 1 ? 1 : Math.min(1, middle + half),
	};
}
