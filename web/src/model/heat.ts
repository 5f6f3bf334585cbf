// SPDX-License-Identifier: MIT
/** Samples by time, for the heat map. */
import type { State } from '../app/state.js';
import { type Capture, NONE } from '../data/capture.js';
import { modeMask, rowsIn } from './samples.js';
import { goneRows } from './spans.js';

/**
 * Weights of the samples of each `binNs` of [from, to), in mode and of threads that are not hidden,
 * whatever range is selected; with Shown.stackOf only those that no transform leaves out. A sample
 * counts where it begins; the last bin may be short.
 */
export function binCounts(
	capture: Capture,
	state: State,
	binNs: number,
	from: number,
	to: number,
	stackOf: Int32Array | null = null,
): Float64Array {
	const bins = new Float64Array(Math.max(0, Math.ceil((to - from) / binNs)));
	if (bins.length === 0) return bins;
	const { timeNs, stack, state: states, flags, weight } = capture.samples;
	const mask = modeMask(state.mode);
	const gone = goneRows(capture, state.spans);
	const hidden = new Set(state.tracks.hidden);
	const last = bins.length - 1;
	for (const { row: thread } of capture.threads) {
		if (hidden.has(thread)) continue;
		const [first, end] = rowsIn(capture, thread, { from, to });
		for (let row = first; row < end; row++) {
			if (mask[(states[row] << 6) | flags[row]] === 0 || gone?.[row]) continue;
			if (stackOf && stackOf[stack[row]] === NONE) continue;
			const bin = Math.min(last, Math.floor((timeNs[row] - from) / binNs));
			bins[bin] += weight ? weight[row] : 1;
		}
	}
	return bins;
}
