// SPDX-License-Identifier: MIT
/** A state against a capture: links are edited by hand, and may be of another capture. */
import type { Capture } from '../data/capture.js';
import { Flag, NONE, SampleState } from '../data/capture.js';
import type { Range, State, Transform, ViewName } from './state.js';
import { INITIAL, VIEWS } from './state.js';

/** Views that need times. */
const TIMED: readonly ViewName[] = ['chart', 'heatmap'];

/** Whether samples have times; without them there is no timeline, and units of time mean nothing. */
export function isTimed(capture: Capture): boolean {
	return capture.timed;
}

/** Whether anything is known of what threads did; without it wall, CPU, GIL and idle are the same. */
export function hasStates(capture: Capture): boolean {
	const { state, flags } = capture.samples;
	const known = Flag.HoldsGil | Flag.WaitsForGil;
	return state.some((s) => s !== SampleState.Unknown) || flags.some((f) => (f & known) !== 0);
}

/** The views that make sense for a capture, in their order. */
export function viewsOf(capture: Capture): readonly ViewName[] {
	return VIEWS.filter(
		(view) =>
			(isTimed(capture) || !TIMED.includes(view)) && (view !== 'spans' || capture.spans.length),
	);
}

function within(range: Range | null, capture: Capture): Range | null {
	if (!range || range.to <= 0 || range.from >= capture.durationNs) return null;
	if (range.from >= 0 && range.to <= capture.durationNs) return range;
	return { from: Math.max(0, range.from), to: Math.min(capture.durationNs, range.to) };
}

function checkRanges(ranges: readonly Range[], capture: Capture): readonly Range[] {
	const kept: Range[] = [];
	for (const range of ranges) {
		const whole = within(range, capture);
		if (!whole) break;
		kept.push(whole);
	}
	return kept;
}

function isPossible(t: Transform, capture: Capture): boolean {
	const has = (row: number): boolean => row >= 0 && row < capture.functions.count;
	if (t.kind === 'library') return true;
	if (t.kind === 'path') return t.funcs.length > 0 && t.funcs.every(has);
	return has(t.func) || (t.kind === 'recursion' && t.func === NONE);
}

const row = (value: number, count: number): number => (value >= 0 && value < count ? value : NONE);

/** The same state without rows, ranges and views that the capture does not have. */
export function checkState(state: State, capture: Capture): State {
	const { tracks } = state;
	const threads = capture.threads.length;
	const view = viewsOf(capture).includes(state.view) ? state.view : INITIAL.view;
	return {
		...state,
		view,
		ranges: checkRanges(state.ranges, capture),
		compare: within(state.compare, capture),
		spans: capture.spans.length ? state.spans : '',
		against: capture.spans.length ? state.against : '',
		lane: state.lane === -2 ? -2 : row(state.lane, threads),
		tracks: {
			...tracks,
			hidden: tracks.hidden.filter((thread) => thread < threads),
			window: within(tracks.window, capture),
		},
		transforms: state.transforms.filter((t) => isPossible(t, capture)),
		sample: row(state.sample, capture.samples.count),
		func: row(state.func, capture.functions.count),
	};
}
