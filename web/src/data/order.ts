// SPDX-License-Identifier: MIT
/** Samples in the order of their times, on which every search in them relies. */
import type { Samples, Thread } from './capture.js';

function rises(timeNs: Float64Array, first: number, end: number): boolean {
	for (let row = first + 1; row < end; row++) if (timeNs[row] < timeNs[row - 1]) return false;
	return true;
}

/** Sorts each thread's samples by time, in place; recordings are sorted, imports may not be. */
export function sortTimes(samples: Samples, threads: readonly Thread[]): void {
	const { timeNs, stack, state, flags, cpuNs, syscall, weight, span } = samples;
	for (const { first, count } of threads) {
		if (rises(timeNs, first, first + count)) continue;
		const order = Uint32Array.from({ length: count }, (_, i) => first + i);
		order.sort((a, b) => timeNs[a] - timeNs[b] || a - b);
		for (const column of [timeNs, stack, state, flags, cpuNs, syscall, weight, span]) {
			if (!column) continue;
			const before = column.slice();
			for (let i = 0; i < count; i++) column[first + i] = before[order[i]];
		}
	}
}
