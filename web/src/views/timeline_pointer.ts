// SPDX-License-Identifier: MIT
/** Mouse, wheel and touch on the rows: selecting, zooming, panning, tips. */
import type { Range } from '../app/state.js';
import { type Marker, NONE } from '../data/capture.js';
import { type ColumnFrame, depthAt, frameInColumn } from './timeline_boxes.js';
import { markersAt } from './timeline_lanes.js';
import { type LaneRow, type Row, rowAt } from './timeline_layout.js';
import { trackMenu } from './timeline_menu.js';
import { frameHeightOf, lastRange, shownFunc, type Timeline, trackFor } from './timeline_parts.js';
import { placesIn, rowOf, type Track } from './timeline_series.js';
import {
	dragged,
	moveEdge,
	nestRange,
	panWindow,
	pinchWindow,
	zoomWindow,
} from './timeline_window.js';
import { gapLines, markerLines, mixLines, rangeLines, sampleLines } from './timeline_words.js';

const CLICK_PX = 4; // a shorter way is a click
const EDGE_PX = 5;
const LONG_PRESS_MS = 420;
const LEAST_FRAME_PX = 1.5; // flatter ones cannot be pointed at
const NO_FRAME: ColumnFrame = { stack: NONE, share: 0 };

/** What is at a point of the rows. */
export interface Hit {
	readonly row: Row;
	readonly track: Track | null;
	readonly from: number; // places of the track's samples in the pixel
	readonly to: number;
	readonly sample: number; // the one that a click selects; NONE
	readonly frame: ColumnFrame; // there
	readonly markers: readonly Marker[];
}

/** x from the left of the plot, y from the top of what is in sight. */
export function hitAt(t: Timeline, x: number, y: number): Hit | null {
	const row = rowAt(t.layout, y + t.dom.scroll.scrollTop);
	if (row === null) return null;
	const none = { row, track: null, from: 0, to: 0, sample: NONE, frame: NO_FRAME, markers: [] };
	if (row.kind === 'lane') return { ...none, markers: markersUnder(t, row, x, y) };
	if (row.kind === 'process' && !row.collapsed) return none;
	const track = trackFor(t, row.threads);
	const [from, to] = placesIn(track.series, t.timeAt(x), t.timeAt(x + 1), t.tickPeriodNs);
	if (from >= to) return { ...none, track };
	const place = pick(track, from, to);
	const above = row.y + row.height - 2 - (y + t.dom.scroll.scrollTop);
	const depth = depthAt(frameHeightOf(t, row), deepest(track, from, to), above);
	const frame = frameInColumn(t.capture, track.series, from, to, depth);
	return { row, track, from, to, sample: rowOf(track.series, place), frame, markers: [] };
}

function deepest({ series }: Track, from: number, to: number): number {
	let most = 0;
	for (let i = from; i < to; i++) most = Math.max(most, series.depth[i]);
	return most;
}

/** Of the samples in a pixel, the one to select: of the kind with the most, the deepest, the first. */
function pick(track: Track, from: number, to: number): number {
	const { kind, depth } = track.series;
	const end = Math.min(to, from + 2000);
	const counts = new Uint32Array(8);
	for (let i = from; i < end; i++) counts[kind[i]]++;
	const most = counts.indexOf(Math.max(...counts));
	let best = -1;
	for (let i = from; i < end; i++) {
		if (kind[i] === most && (best < 0 || depth[i] > depth[best])) best = i;
	}
	return best;
}

function markersUnder(t: Timeline, row: LaneRow, x: number, y: number): Marker[] {
	const lane = t.lanes[row.lane];
	const slack = (2 * (t.window.to - t.window.from)) / t.width;
	const inRow = y + t.dom.scroll.scrollTop - row.y - 2;
	const level = Math.floor((inRow / (row.height - 4)) * lane.levels);
	return markersAt(lane, t.timeAt(x), slack, Math.max(0, Math.min(lane.levels - 1, level)));
}

let clicked = NONE; // function of the frame: its light would hide what is in common with the sample

/** The shown function that lights up; of flat frames, and of one that few samples have, none does. */
function funcAt(t: Timeline, { frame, row }: Hit): number {
	const { stacks, frames } = t.capture;
	const { stack, share } = frame;
	if (stack === NONE || share <= 0.5 || frameHeightOf(t, row) < LEAST_FRAME_PX) return NONE;
	return shownFunc(t.app, frames.func[stacks.frame[stack]]);
}

/** Tip and lights for what is below the pointer. */
function hoverAt(t: Timeline, event: PointerEvent, x: number, y: number): void {
	const hit = x < 0 ? null : hitAt(t, x, y);
	const { app } = t;
	if (hit === null || hit.sample === NONE || hit.track === null) {
		endHover(t);
		const track = hit?.track ?? null;
		const gap = track === null ? null : gapLines(t, track, t.timeAt(x));
		const lines = hit !== null && hit.markers.length > 0 ? markerLines(t, hit.markers) : gap;
		if (lines !== null) app.showTip(event.clientX, event.clientY, lines);
		return;
	}
	const func = funcAt(t, hit);
	if (func !== clicked) clicked = NONE;
	app.setHover({ sample: hit.sample, func: func === clicked ? NONE : func, stack: NONE });
	const lines =
		hit.to - hit.from > 1
			? mixLines(t, hit.track, hit.from, hit.to, func === NONE ? NO_FRAME : hit.frame)
			: sampleLines(t, hit.sample, hit.frame.stack);
	app.showTip(event.clientX, event.clientY, lines);
}

function endHover(t: Timeline): void {
	clicked = NONE;
	if (t.app.hover.sample !== NONE || t.app.hover.func !== NONE) t.app.setHover(null);
	t.app.showTip(0, 0, null);
}

/** What a click does: selects the sample or the marker's time there, or nothing. */
function click(t: Timeline, x: number, y: number, compare: boolean): void {
	const hit = hitAt(t, x, y);
	if (hit === null) return;
	if (hit.markers.length > 0) {
		selectMarker(t, hit.markers[0], compare);
	} else if (hit.row.kind !== 'lane' && hit.sample !== t.app.state.sample) {
		t.app.set({ sample: hit.sample }, 'step');
		clicked = funcAt(t, hit);
		t.app.setHover({ sample: hit.sample });
	}
}

/** Selects the time of a marker; of a moment, the tick in which it lies; of a span, its samples. */
export function selectMarker(t: Timeline, marker: Marker, compare = false): void {
	if (marker.span) {
		const one = `#${marker.span.row}`;
		t.app.set(compare ? { against: one } : { spans: one }, 'step');
		return;
	}
	const to = Math.max(marker.endNs, marker.startNs + t.tickPeriodNs);
	const range = dragged(marker.startNs, to, t.capture.durationNs);
	if (range !== null) t.app.set({ ranges: nestRange(t.app.state.ranges, range) }, 'step');
}

/** Makes a dragged range the selection, or what it is compared with. */
export function commitDrag(t: Timeline): void {
	const { drag, app } = t;
	t.drag = null;
	app.setPreview(null);
	if (drag === null) return;
	if (drag.compare) {
		t.comparing = false;
		app.set({ compare: drag.range }, 'step');
	} else {
		app.set({ ranges: nestRange(app.state.ranges, drag.range) }, 'step');
	}
	t.redraw();
}

export function cancelDrag(t: Timeline): boolean {
	const was = t.drag !== null;
	t.drag = null;
	gesture = null;
	if (was) t.app.setPreview(null);
	t.redraw();
	return was;
}

type Gesture =
	| { readonly kind: 'press'; readonly x: number; readonly y: number; readonly compare: boolean }
	| { readonly kind: 'select'; readonly from: number; readonly compare: boolean }
	| { readonly kind: 'edge'; readonly edge: 'from' | 'to'; readonly ranges: readonly Range[] }
	| { readonly kind: 'pan'; readonly x: number; readonly window: Range }
	| { readonly kind: 'pinch'; readonly times: readonly [number, number] };

let gesture: Gesture | null = null;
const fingers = new Map<number, number>(); // pointer -> x
let longPress = 0;

function edgeNear(t: Timeline, x: number): 'from' | 'to' | null {
	const range = lastRange(t);
	if (range === null) return null;
	if (Math.abs(t.xOf(range.from) - x) <= EDGE_PX) return 'from';
	return Math.abs(t.xOf(range.to) - x) <= EDGE_PX ? 'to' : null;
}

function down(t: Timeline, event: PointerEvent, x: number, y: number): void {
	if (event.pointerType === 'touch') {
		touchDown(t, event, x, y);
		return;
	}
	if (event.button === 1) {
		gesture = { kind: 'pan', x, window: t.window };
		event.preventDefault();
		return;
	}
	if (event.button !== 0 || x < 0) return;
	const edge = event.shiftKey || t.comparing ? null : edgeNear(t, x);
	gesture =
		edge === null
			? { kind: 'press', x, y, compare: event.shiftKey || t.comparing }
			: { kind: 'edge', edge, ranges: t.app.state.ranges };
}

function touchDown(t: Timeline, event: PointerEvent, x: number, y: number): void {
	fingers.set(event.pointerId, x);
	clearTimeout(longPress);
	if (fingers.size === 2) {
		const [a, b] = [...fingers.values()].sort((p, q) => p - q);
		t.drag = null;
		gesture = { kind: 'pinch', times: [t.timeAt(a), t.timeAt(b)] };
		return;
	}
	gesture = { kind: 'press', x, y, compare: t.comparing };
	longPress = window.setTimeout(() => {
		gesture = { kind: 'select', from: t.timeAt(x), compare: t.comparing };
		t.app.say('Drag to select a range');
	}, LONG_PRESS_MS);
}

function move(t: Timeline, event: PointerEvent, x: number, y: number): void {
	if (fingers.has(event.pointerId)) fingers.set(event.pointerId, x);
	const g = gesture;
	if (g === null) {
		if (event.pointerType !== 'touch') hoverAt(t, event, x, y);
		t.dom.canvas.classList.toggle('tl-edge', edgeNear(t, x) !== null);
	} else if (g.kind === 'press') {
		if (Math.abs(x - g.x) < CLICK_PX) return;
		clearTimeout(longPress);
		const touch = event.pointerType === 'touch' && !g.compare;
		gesture = touch
			? { kind: 'pan', x: g.x, window: t.window }
			: { kind: 'select', from: t.timeAt(g.x), compare: g.compare };
		endHover(t);
		move(t, event, x, y);
	} else if (g.kind === 'pan') {
		const perPixel = (g.window.to - g.window.from) / t.width;
		t.show(panWindow(g.window, (g.x - x) * perPixel, t.capture.durationNs));
	} else if (g.kind === 'pinch') {
		const [a, b] = [...fingers.values()].sort((p, q) => p - q);
		const pinched = pinchWindow(g.times, [a, b], t.width, t.capture.durationNs);
		if (pinched !== null) t.show(pinched);
	} else {
		dragTo(t, event, g, x);
	}
}

function dragTo(
	t: Timeline,
	event: PointerEvent,
	g: Extract<Gesture, { kind: 'select' | 'edge' }>,
	x: number,
): void {
	const at = t.timeAt(Math.max(0, Math.min(t.width, x)));
	const range =
		g.kind === 'edge'
			? (moveEdge(g.ranges, g.edge, at).at(-1) ?? null)
			: dragged(g.from, at, t.capture.durationNs);
	if (range === null) return;
	t.drag = { range, compare: g.kind === 'select' && g.compare };
	if (!t.drag.compare) t.app.setPreview(range);
	t.app.showTip(event.clientX, event.clientY, rangeLines(t, range));
	t.redraw();
}

function up(t: Timeline, event: PointerEvent, x: number, y: number): void {
	clearTimeout(longPress);
	fingers.delete(event.pointerId);
	const g = gesture;
	gesture = fingers.size > 0 && g?.kind === 'pinch' ? g : null;
	if (g === null) return;
	if (g.kind === 'press') click(t, x, y, g.compare);
	else if (g.kind === 'edge') commitEdge(t, g.ranges);
	else if (g.kind === 'select') commitDrag(t);
	if (g.kind !== 'press') t.app.showTip(0, 0, null);
}

function commitEdge(t: Timeline, ranges: readonly Range[]): void {
	const { drag, app } = t;
	t.drag = null;
	app.setPreview(null);
	if (drag !== null) app.set({ ranges: [...ranges.slice(0, -1), drag.range] }, 'step');
}

/** Wheel: with ctrl (or a pinch of a touchpad) zooms, sideways or with shift pans; else scrolls. */
export function wheel(t: Timeline, event: WheelEvent, x: number, always: boolean): void {
	const sideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
	const lines = event.deltaMode === 1 ? 16 : 1;
	if (event.ctrlKey || event.metaKey || (always && !sideways)) {
		event.preventDefault();
		const factor = Math.exp(-event.deltaY * lines * (event.deltaMode === 1 ? 0.002 : 0.003));
		t.show(zoomWindow(t.window, t.timeAt(Math.max(0, x)), factor, t.capture.durationNs));
	} else if (sideways) {
		event.preventDefault();
		const by = (event.deltaX || event.deltaY) * lines;
		const perPixel = (t.window.to - t.window.from) / t.width;
		t.show(panWindow(t.window, by * perPixel, t.capture.durationNs));
	}
}

/** Puts all of it on the canvas of the rows. */
export function listenRows(t: Timeline): void {
	const { canvas, scroll } = t.dom;
	const at = (event: MouseEvent): [number, number] => {
		const box = canvas.getBoundingClientRect();
		return [event.clientX - box.left - t.left, event.clientY - box.top];
	};
	canvas.addEventListener('pointerdown', (event) => {
		if (event.button !== 2) canvas.setPointerCapture(event.pointerId);
		down(t, event, ...at(event));
	});
	canvas.addEventListener('pointermove', (event) => move(t, event, ...at(event)));
	canvas.addEventListener('pointerup', (event) => up(t, event, ...at(event)));
	canvas.addEventListener('pointercancel', (event) => {
		clearTimeout(longPress);
		fingers.delete(event.pointerId);
		cancelDrag(t);
	});
	canvas.addEventListener('pointerleave', () => {
		if (gesture === null) endHover(t);
	});
	canvas.addEventListener('dblclick', (event) => {
		const [x] = at(event);
		t.show(zoomWindow(t.window, t.timeAt(x), 4, t.capture.durationNs));
	});
	canvas.addEventListener('contextmenu', (event) => {
		const [x, y] = at(event);
		const hit = hitAt(t, Math.max(0, x), y);
		event.preventDefault();
		trackMenu(t, event.clientX, event.clientY, hit?.row ?? null);
	});
	scroll.addEventListener('wheel', (event) => wheel(t, event, at(event)[0], false), {
		passive: false,
	});
	scroll.addEventListener('scroll', () => t.redraw(), { passive: true });
}
