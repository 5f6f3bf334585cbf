// SPDX-License-Identifier: MIT
/** Lanes of markers: one for each kind; those that overlap in time lie above each other. */
import { type Capture, type Marker, NONE, type Span } from '../data/capture.js';
import type { Kind } from '../model/pyramid.js';
import { formatTime } from '../ui/format.js';

export interface Lane {
	readonly name: string; // the kind
	readonly markers: readonly Marker[]; // by start
	readonly level: Uint8Array; // by marker: 0 .. levels - 1, from the top
	readonly latest: Float64Array; // by marker: the latest end of it and those before
	readonly levels: number;
	readonly thread: number; // below whose track it is; NONE: above all
	readonly levelOf: ReadonlyMap<Span, number>; // of a lane of spans
}

const MOST_LEVELS = 4;
const MOST_SPAN_LEVELS = 12;

const MOST_SEEN = 20_000;

/** In the order in which the kinds first appear; markers of hidden threads are left out. */
export function makeLanes(
	capture: Capture,
	hidden: readonly number[],
	seen: readonly Marker[] = [],
): Lane[] {
	const hide = new Set(hidden);
	const kinds = new Map<string, Marker[]>();
	for (const marker of [...capture.markers, ...seen]) {
		if (hide.has(marker.thread)) continue;
		const list = kinds.get(marker.name);
		if (list === undefined) kinds.set(marker.name, [marker]);
		else list.push(marker);
	}
	return [...kinds].map(([name, markers]) => makeLane(name, markers));
}

/** A lane of spans for each thread that began some, or has samples in some that others began. */
export function makeSpanLanes(capture: Capture, hidden: readonly number[]): Lane[] {
	const { spans, samples, durationNs, periodNs } = capture;
	const lanes = new Map<number, Map<Span, Marker>>();
	const add = (span: Span, thread: number, startNs: number, endNs: number) => {
		const lane = lanes.get(thread) ?? new Map<Span, Marker>();
		const known = lane.get(span);
		lanes.set(thread, lane);
		const { process, name, text } = span;
		const from = known?.startNs ?? startNs;
		lane.set(span, { startNs: from, endNs, thread, process, name, text, span });
	};
	for (const span of spans) {
		if (span.thread !== NONE) add(span, span.thread, span.startNs, span.endNs ?? durationNs);
	}
	for (let row = 0; row < samples.count; row++) {
		const span = spans[(samples.span?.[row] ?? 0) - 1];
		const thread = samples.thread[row];
		if (!span || span.thread === thread) continue;
		add(span, thread, samples.timeNs[row], samples.timeNs[row] + periodNs);
	}
	return [...lanes]
		.filter(([thread]) => !hidden.includes(thread))
		.map(([thread, lane]) => makeLane('spans', [...lane.values()], thread));
}

/**
 * What markers would say, as far as samples show it: stretches of samples of a kind that follow each
 * other in a thread. The shortest are left out if there are too many; the name says so.
 */
export function markersSeen(
	capture: Capture,
	kinds: Uint8Array,
	kind: Kind,
	name: string,
	periodNs: number,
): Marker[] {
	const { timeNs, weight } = capture.samples;
	const found: Marker[] = [];
	for (const { row, process, first, count } of capture.threads) {
		const end = first + count;
		for (let r = first; r < end; r++) {
			if (kinds[r] !== kind) continue;
			const from = r;
			while (r + 1 < end && kinds[r + 1] === kind) r++;
			const lasts = periodNs * (weight === null ? 1 : weight[r]);
			const next = r + 1 < end ? timeNs[r + 1] : Infinity;
			const endNs = Math.min(next, timeNs[r] + lasts);
			found.push({ startNs: timeNs[from], endNs, thread: row, process, name, text: '' });
		}
	}
	return longest(found, name, periodNs);
}

function longest(markers: Marker[], name: string, periodNs: number): Marker[] {
	let kept = markers;
	let least = 0;
	while (kept.length > MOST_SEEN) {
		least = Math.max(2 * periodNs, 2 * least);
		kept = kept.filter((marker) => marker.endNs - marker.startNs >= least);
	}
	if (least === 0) return kept;
	const longer = `${name}, ${formatTime(least)} or more`;
	return kept.map((marker) => ({ ...marker, name: longer }));
}

function makeLane(name: string, markers: Marker[], thread = NONE): Lane {
	const mostLevels = thread === NONE ? MOST_LEVELS : MOST_SPAN_LEVELS;
	const levelOf = new Map<Span, number>();
	const rows = new Map<number, number>(); // levels by row
	markers.sort((a, b) => a.startNs - b.startNs);
	const level = new Uint8Array(markers.length);
	const latest = new Float64Array(markers.length);
	const ends: number[] = [];
	markers.forEach((marker, i) => {
		// below what it lies in
		const above = rows.get(marker.span?.parent ?? NONE) ?? -1;
		let free = ends.findIndex((end, at) => at > above && end <= marker.startNs);
		if (free < 0) free = ends.length < mostLevels ? ends.length : earliest(ends);
		if (marker.span) {
			levelOf.set(marker.span, free);
			rows.set(marker.span.row, free);
		}
		ends[free] = Math.max(ends[free] ?? 0, marker.endNs);
		level[i] = free;
		latest[i] = Math.max(i > 0 ? latest[i - 1] : 0, marker.endNs);
	});
	return { name, markers, level, latest, levels: Math.max(1, ends.length), thread, levelOf };
}

function earliest(ends: readonly number[]): number {
	return ends.indexOf(Math.min(...ends));
}

/** CSS pixels. */
export function laneHeight(lane: Lane): number {
	if (lane.thread !== NONE) return 4 + lane.levels * 13;
	return lane.levels === 1 ? 15 : 4 + lane.levels * 7;
}

/** Markers [first, end) of which some may be in a stretch of time. */
export function markersIn(lane: Lane, fromNs: number, toNs: number): [number, number] {
	const { markers, latest } = lane;
	const first = firstWhere(markers.length, (i) => latest[i] >= fromNs);
	return [
		first,
		Math.max(
			first,
			firstWhere(markers.length, (i) => markers[i].startNs >= toNs),
		),
	];
}

function firstWhere(count: number, holds: (i: number) => boolean): number {
	let low = 0;
	let high = count;
	while (low < high) {
		const middle = (low + high) >> 1;
		if (holds(middle)) high = middle;
		else low = middle + 1;
	}
	return low;
}

/**
 * The boxes of a lane in a picture of `width` pixels: what is narrower than `least` is as wide as
 * that, what would lie on the box before it is one with it.
 */
export function laneBoxes(
	lane: Lane,
	fromNs: number,
	toNs: number,
	width: number,
	least: number,
	draw: (x: number, width: number, level: number, marker: Marker, count: number) => void,
): void {
	const scale = width / (toNs - fromNs);
	const open: ({ x: number; end: number; first: Marker; count: number } | null)[] = [];
	const close = (level: number) => {
		const box = open[level];
		if (box) draw(box.x, box.end - box.x, level, box.first, box.count);
	};
	const [first, end] = markersIn(lane, fromNs, toNs);
	for (let i = first; i < end; i++) {
		const marker = lane.markers[i];
		if (marker.endNs < fromNs) continue;
		const level = lane.level[i];
		const x = Math.max(-2, (marker.startNs - fromNs) * scale);
		const right = Math.min(width + 2, Math.max(x + least, (marker.endNs - fromNs) * scale));
		const box = open[level];
		if (box && x < box.end && (right - x <= 2 * least || box.end - box.x <= 2 * least)) {
			box.end = Math.max(box.end, right);
			box.count++;
			continue;
		}
		close(level);
		open[level] = { x, end: right, first: marker, count: 1 };
	}
	for (let level = 0; level < lane.levels; level++) close(level);
}

/** Markers of a lane at a point, `slackNs` to each side; of a level, or of all (-1). */
export function markersAt(lane: Lane, atNs: number, slackNs: number, level: number): Marker[] {
	const [first, end] = markersIn(lane, atNs - slackNs, atNs + slackNs);
	const found: Marker[] = [];
	for (let i = first; i < end && found.length < 50; i++) {
		const marker = lane.markers[i];
		if (marker.endNs < atNs - slackNs) continue;
		if (level < 0 || lane.level[i] === level) found.push(marker);
	}
	return found;
}
