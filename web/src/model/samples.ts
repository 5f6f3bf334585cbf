// SPDX-License-Identifier: MIT
/** Which samples a state selects. */

import type { Mode, Range, State } from '../app/state.js';
import { type Capture, Flag, SampleState } from '../data/capture.js';

/** Values of (state << 6 | flags). */
export const STATE_VALUES = 5 << 6;

function shows(mode: Mode, state: number, flags: number): boolean {
	const processor = state === SampleState.OnCpu || state === SampleState.Runnable;
	switch (mode) {
		case 'wall':
			return true;
		case 'cpu':
			return processor;
		case 'idle':
			return !processor;
		case 'gil':
			return (flags & Flag.HoldsGil) !== 0;
	}
}

/** 1 for each of the 5 states x 64 flags (state << 6 | flags) that the mode shows. */
export function modeMask(mode: Mode): Uint8Array {
	return Uint8Array.from({ length: STATE_VALUES }, (_, value) =>
		shows(mode, value >> 6, value & 63) ? 1 : 0,
	);
}

/** The range in force: the last one, or all of the capture. */
export function rangeOf(capture: Capture, state: State): Range {
	return state.ranges.at(-1) ?? { from: 0, to: capture.durationNs };
}

/** The first row from `first` on, before `end`, whose time is not below `timeNs`; else `end`. */
function rowAt(timeNs: Float64Array, first: number, end: number, atNs: number): number {
	let low = first;
	let high = end;
	while (low < high) {
		const middle = (low + high) >> 1;
		if (timeNs[middle] < atNs) low = middle + 1;
		else high = middle;
	}
	return low;
}

/**
 * Rows [first, end) of a thread's samples within a range, by binary search. A range up to the end of
 * the capture has its last sample, also where that takes no time.
 */
export function rowsIn(capture: Capture, thread: number, range: Range): [number, number] {
	const { first, count } = capture.threads[thread];
	const { timeNs } = capture.samples;
	const end = first + count;
	const from = rowAt(timeNs, first, end, range.from);
	if (range.to >= capture.durationNs) return [from, end];
	return [from, Math.max(from, rowAt(timeNs, first, end, range.to))];
}
