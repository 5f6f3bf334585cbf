// SPDX-License-Identifier: MIT
/**
 * What is looked at while time goes on. Times of a state are since the first sample that is kept,
 * which is another one with every capture; what ends now goes on to end now.
 */
import type { Range, State } from '../app/state.js';
import { INITIAL } from '../app/state.js';
import type { Capture } from '../data/capture.js';
import { NONE } from '../data/capture.js';

/** The least that is compared with what was so long ago. */
const COMPARED_NS = 60e9;

const shifted = (range: Range, byNs: number): Range => ({
	from: range.from + byNs,
	to: range.to + byNs,
});

const whole = (range: Range): Range => ({
	from: Math.round(range.from),
	to: Math.max(Math.round(range.from) + 1, Math.round(range.to)),
});

/** Ranges that State.last and State.ago ask for; null: the state has its own. */
export function askedRanges(
	{ last, ago }: Pick<State, 'last' | 'ago'>,
	durationNs: number,
): Pick<State, 'ranges' | 'compare'> | null {
	if (last <= 0) return null;
	const range = whole({ from: Math.max(0, durationNs - last), to: durationNs });
	if (ago <= 0) return { ranges: [range], compare: null };
	// what is not kept any more, or not yet there, is the oldest that there is
	const from = Math.max(0, durationNs - last - ago);
	return { ranges: [range], compare: whole({ from, to: Math.min(range.from, from + last) }) };
}

/** What a choice of "with so long ago" sets: the same length at both ends. */
export function agoOf(agoNs: number, durationNs: number): Pick<State, 'last' | 'ago'> {
	const room = Math.min(agoNs, durationNs / 2);
	return { last: Math.max(1e9, Math.min(COMPARED_NS, room)), ago: agoNs };
}

/** Whether a window goes up to now, as far as a hand can do that. */
export function endsNow(window: Range, durationNs: number): boolean {
	return window.to >= durationNs - (window.to - window.from) / 50;
}

/** What a change by hand means for what follows now: times that are chosen stay where they are. */
export function byHand(patch: Partial<State>, state: State, durationNs: number): Partial<State> {
	if ('last' in patch) return { ...patch, ...askedRanges({ ...state, ...patch }, durationNs) };
	if (!('ranges' in patch || 'compare' in patch)) return patch;
	return { ...patch, last: 0, ago: 0 };
}

/** From one capture to the next. */
export interface Step {
	readonly durationNs: number; // before
	readonly nextNs: number; // the duration then
	readonly byNs: number; // how much later the first sample is
	readonly sample: number; // what the selected sample is then, or NONE
	readonly thinned: boolean; // nodes have other keys
	readonly reused: readonly number[]; // rows of threads
}

/** The same state for the next capture. */
export function stepState(state: State, step: Step): State {
	const { durationNs, nextNs, byNs, reused } = step;
	const { tracks } = state;
	let { window } = tracks;
	if (window && endsNow(window, durationNs)) {
		window = { from: nextNs - (window.to - window.from), to: nextNs };
	} else if (window) window = shifted(window, -byNs);
	const lost = (row: number): boolean => reused.includes(row);
	const moved = byNs === 0 ? state.ranges : state.ranges.map((r) => shifted(r, -byNs));
	return {
		...state,
		ranges: moved,
		compare: state.compare && shifted(state.compare, -byNs),
		...askedRanges(state, nextNs),
		tracks: {
			...tracks,
			window,
			hidden: tracks.hidden.some(lost) ? tracks.hidden.filter((r) => !lost(r)) : tracks.hidden,
		},
		lane: lost(state.lane) ? INITIAL.lane : state.lane,
		sample: step.sample,
		zoom: step.thinned ? [] : state.zoom,
	};
}

/** A row of the samples of one capture in a later one: by thread and time. NONE if it is gone. */
export function sampleIn(before: Capture, next: Capture, sample: number, byNs: number): number {
	if (sample < 0 || sample >= before.samples.count) return NONE;
	const thread = next.threads[before.samples.thread[sample]];
	const wanted = before.samples.timeNs[sample] - byNs;
	let [low, high] = [thread.first, thread.first + thread.count];
	while (low < high) {
		const middle = (low + high) >> 1;
		if (next.samples.timeNs[middle] < wanted - 0.5) low = middle + 1;
		else high = middle;
	}
	const found = low < thread.first + thread.count && next.samples.timeNs[low] < wanted + 0.5;
	return found ? low : NONE;
}

/** The earliest time that was chosen by hand and is looked at; Infinity if none is. */
export function chosenSince(state: State): number {
	if (state.last > 0) return Infinity;
	return Math.min(state.ranges[0]?.from ?? Infinity, state.compare?.from ?? Infinity);
}

/**
 * What the address says of a state: times are since the origin of the ring (`sinceNs` before the
 * first sample), for as long as the page is open; what follows now is said by `last` and `ago` alone.
 */
export function outward(state: State, sinceNs: number, durationNs: number): State {
	const { tracks } = state;
	const out = (range: Range | null): Range | null => range && shifted(range, sinceNs);
	const follows = state.last > 0;
	const window = tracks.window && endsNow(tracks.window, durationNs) ? null : tracks.window;
	return {
		...state,
		ranges: follows ? [] : state.ranges.map((r) => shifted(r, sinceNs)),
		compare: follows ? null : out(state.compare),
		tracks: { ...tracks, window: out(window) },
		sample: NONE,
	};
}

export function inward(state: State, sinceNs: number, durationNs: number): State {
	const { tracks } = state;
	return {
		...state,
		ranges: state.ranges.map((r) => shifted(r, -sinceNs)),
		compare: state.compare && shifted(state.compare, -sinceNs),
		...askedRanges(state, durationNs),
		tracks: { ...tracks, window: tracks.window && shifted(tracks.window, -sinceNs) },
	};
}

/** Of a link from another time: rows and times meant something else then. */
export function fromLink(state: State, durationNs: number): State {
	const { merged, order } = state.tracks;
	return {
		...state,
		ranges: [],
		compare: null,
		...askedRanges(state, durationNs),
		lane: state.lane === -2 ? -2 : INITIAL.lane,
		tracks: { ...INITIAL.tracks, merged, order },
		transforms: state.transforms.filter((t) => t.kind === 'library'),
		zoom: [],
		sample: NONE,
		func: NONE,
		line: 0,
	};
}
