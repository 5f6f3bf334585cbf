// SPDX-License-Identifier: MIT
/** Which samples a state selects. */
import type { Capture } from '../data/capture.js';
import type { Mode, Range, State } from '../app/state.js';

/** 1 for each of the 5 states x 64 flags (state << 6 | flags) that the mode shows. */
export function modeMask(mode: Mode): Uint8Array {
	throw new Error(`not yet: ${mode}`);
}

/** The range in force: the last one, or all of the capture. */
export function rangeOf(capture: Capture, state: State): Range {
	return state.ranges.at(-1) ?? { from: 0, to: capture.durationNs };
}

/** Rows [first, end) of a thread's samples within a range, by binary search. */
export function rowsIn(capture: Capture, thread: number, range: Range): [number, number] {
	throw new Error(`not yet: ${capture.title} ${thread} ${range.from}`);
}
