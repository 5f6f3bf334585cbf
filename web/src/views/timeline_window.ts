// SPDX-License-Identifier: MIT
/** Windows and ranges of time: zooming, panning, nesting. Nanoseconds, all pure. */
import type { Range } from '../app/state.js';

/** The least that a window shows. */
export const LEAST_NS = 2_000;

/** Within [0, duration], no shorter than LEAST_NS; its length is kept where that can be. */
export function clampWindow(window: Range, durationNs: number): Range {
	const whole = Math.max(durationNs, LEAST_NS);
	const length = Math.min(whole, Math.max(LEAST_NS, window.to - window.from));
	const middle = (window.from + window.to) / 2;
	const wanted = window.to - window.from < LEAST_NS ? middle - length / 2 : window.from;
	const from = Math.min(Math.max(0, wanted), whole - length);
	return { from, to: from + length };
}

/** Zoomed by a factor (2: half as long); what was at time `at` stays in its place. */
export function zoomWindow(window: Range, atNs: number, factor: number, durationNs: number): Range {
	const whole = Math.max(durationNs, LEAST_NS);
	const length = window.to - window.from;
	const wanted = Math.min(whole, Math.max(LEAST_NS, length / factor));
	const share = (atNs - window.from) / length;
	const from = atNs - share * wanted;
	return clampWindow({ from, to: from + wanted }, durationNs);
}

export function panWindow(window: Range, byNs: number, durationNs: number): Range {
	return clampWindow({ from: window.from + byNs, to: window.to + byNs }, durationNs);
}

/** Moved, if it must be, so that a moment is in it, with a tenth of it around where that can be. */
export function reveal(window: Range, fromNs: number, toNs: number, durationNs: number): Range {
	const length = window.to - window.from;
	const margin = length / 10;
	if (fromNs < window.from) return panWindow(window, fromNs - margin - window.from, durationNs);
	if (toNs > window.to && fromNs > window.to - margin) {
		return panWindow(window, toNs + margin - window.to, durationNs);
	}
	return window;
}

/** The window that two fingers make: the times they took hold of stay below them. */
export function pinchWindow(
	times: readonly [number, number],
	xs: readonly [number, number],
	width: number,
	durationNs: number,
): Range | null {
	const apart = xs[1] - xs[0];
	if (Math.abs(apart) < 8 || times[1] === times[0]) return null;
	const perPixel = (times[1] - times[0]) / apart;
	if (perPixel <= 0) return null;
	const from = times[0] - xs[0] * perPixel;
	return clampWindow({ from, to: from + width * perPixel }, durationNs);
}

/** What a drag between two times selects: in order, within the capture; null: too little. */
export function dragged(a: number, b: number, durationNs: number): Range | null {
	const from = Math.max(0, Math.min(a, b));
	const to = Math.min(durationNs, Math.max(a, b));
	return to > from ? { from, to } : null;
}

/** The ranges after one more was selected: it nests in those that hold it, the others end. */
export function nestRange(ranges: readonly Range[], range: Range): Range[] {
	return [
		...ranges.filter((r) => r.from <= range.from && range.to <= r.to && !same(r, range)),
		range,
	];
}

/** The ranges after the last one was changed at an edge; it stays within the one before. */
export function moveEdge(ranges: readonly Range[], edge: 'from' | 'to', atNs: number): Range[] {
	const last = ranges.at(-1);
	if (last === undefined) return [];
	const outer = ranges.at(-2) ?? { from: 0, to: Infinity };
	const at = Math.min(outer.to, Math.max(outer.from, atNs));
	const other = edge === 'from' ? last.to : last.from;
	if (at === other) return [...ranges];
	return [...ranges.slice(0, -1), { from: Math.min(at, other), to: Math.max(at, other) }];
}

function same(a: Range, b: Range): boolean {
	return a.from === b.from && a.to === b.to;
}
