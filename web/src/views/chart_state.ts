// SPDX-License-Identifier: MIT
/** What the flame chart knows of itself, and how it draws. */
import type { App } from '../app/app.js';
import type { Range } from '../app/state.js';
import { NONE } from '../data/capture.js';
import { rangeOf } from '../model/samples.js';
import { currentTheme } from '../ui/colours.js';
import type { LaidLane, Lanes } from './chart_lanes.js';
import { chosenLanes, layLanes, makeLanes } from './chart_lanes.js';
import type { Palette, Raster, Scene } from './chart_paint.js';
import { AXIS_PX, makePalette, makeRaster, paintAxis, paintLane } from './chart_paint.js';
import type { Call } from './chart_series.js';
import { callAt, placeFrom, placeOver, stackAt } from './chart_series.js';
import type { Parts } from './flame_parts.js';
import { clampWindow } from './timeline_window.js';

/** A frame of a sample: where the pointer or the focus is. */
export interface Spot {
	readonly laid: LaidLane;
	readonly place: number;
	readonly depth: number;
}

export interface Chart {
	readonly app: App;
	readonly parts: Parts;
	readonly lanes: Lanes;
	readonly rasters: { readonly main: Raster; readonly over: Raster };
	laid: readonly LaidLane[];
	palette: Palette;
	width: number;
	height: number;
	scroll: number;
	rowPx: number;
	pointed: Spot | null;
	focus: Spot | null;
	startNs: bigint; // of the capture that `laid` is of
	frame: number; // asked for, or 0
}

const rowHeight = (): number => (matchMedia('(pointer: coarse)').matches ? 24 : 18);

export function makeChartState(app: App, parts: Parts): Chart {
	return {
		app,
		parts,
		lanes: makeLanes(app),
		rasters: { main: makeRaster(), over: makeRaster() },
		laid: [],
		palette: makePalette(app, currentTheme()),
		width: 0,
		height: 0,
		scroll: 0,
		rowPx: rowHeight(),
		pointed: null,
		focus: null,
		startNs: app.capture.startNs,
		frame: 0,
	};
}

/** The stretch of time that is shown: the timeline's, else the range in force. */
export function windowOf(c: Chart): Range {
	const { capture, state } = c.app;
	return clampWindow(state.tracks.window ?? rangeOf(capture, state), capture.durationNs);
}

export function setWindow(c: Chart, window: Range | null): void {
	c.app.set({ tracks: { ...c.app.state.tracks, window } }, 'move');
}

function timeAt(c: Chart, x: number): number {
	const { from, to } = windowOf(c);
	return from + (x / c.width) * (to - from);
}

function xOf(c: Chart, ns: number): number {
	const { from, to } = windowOf(c);
	return ((ns - from) / (to - from)) * c.width;
}

export function sceneOf(c: Chart, width: number, density: number, heightPx: number): Scene {
	const { app, palette, rowPx } = c;
	const { tables } = app.shown();
	const window = windowOf(c);
	return { app, tables, palette, window, width, density, rowPx, heightPx, labels: true };
}

/** Of a live page: the focus is at the same moment of its thread; null if that is gone. */
function followFocus(c: Chart): Spot | null {
	const { focus, laid, startNs } = c;
	const other = laid.find((l) => l.lane.thread === focus?.laid.lane.thread);
	if (!focus || !other) return null;
	const timeNs = focus.laid.lane.timeNs[focus.place] - Number(c.app.capture.startNs - startNs);
	const place = placeOver(other.lane, timeNs);
	const spot = { ...focus, laid: other, place };
	return place !== NONE && stackOf(c, spot) !== NONE ? spot : null;
}

/** Lanes anew from the state; true if they are others. `goesOn`: just the samples are. */
export function layOutLanes(c: Chart, goesOn = false): boolean {
	c.rowPx = rowHeight();
	const lanes = c.app.capture.periodNs > 0 ? chosenLanes(c.app, c.lanes) : [];
	const same = lanes.length === c.laid.length && lanes.every((l, i) => l === c.laid[i]?.lane);
	c.laid = layLanes(lanes, c.rowPx);
	c.pointed = null;
	if (!same) c.focus = goesOn ? followFocus(c) : null;
	c.startNs = c.app.capture.startNs;
	return !same;
}

function measure(c: Chart): void {
	const { content, holder, scroller } = c.parts;
	const contentPx = AXIS_PX + (c.laid.at(-1)?.end ?? 0);
	content.style.height = `${contentPx}px`;
	c.width = scroller.clientWidth;
	c.height = Math.min(contentPx, scroller.clientHeight);
	holder.style.height = `${c.height}px`;
	c.scroll = Math.min(scroller.scrollTop, contentPx - c.height);
}

/** Those lanes of which something is in view, with their tops on the canvas. */
function lanesInView(c: Chart): (readonly [LaidLane, number])[] {
	return c.laid
		.map((l) => [l, AXIS_PX + l.top - c.scroll] as const)
		.filter(([l, y]) => y <= c.height && y + l.end - l.top >= 0);
}

/** Top of a spot's row on the canvas. */
export const rowTop = (c: Chart, spot: Spot): number =>
	AXIS_PX + spot.laid.rows - c.scroll + (spot.depth - 1) * c.rowPx;

export const callOf = (c: Chart, spot: Spot): Call | null =>
	callAt(c.app.shown().tables, spot.laid.lane, spot.place, spot.depth);

/** Left and right of a call on the canvas. */
export function spanOf(c: Chart, spot: Spot, call: Call): [number, number] {
	const { lane } = spot.laid;
	return [xOf(c, lane.timeNs[call.from]), xOf(c, lane.endNs[call.to - 1])];
}

function outline(c: Chart, spot: Spot, colour: string, px: number): void {
	const call = callOf(c, spot);
	if (!call) return;
	const [x0, x1] = spanOf(c, spot, call);
	const { context } = c.parts.over;
	context.strokeStyle = colour;
	context.lineWidth = px;
	const left = Math.max(-px, x0);
	const width = Math.max(1, Math.min(c.width + px, x1) - left - 1 - px);
	context.strokeRect(left + px / 2, rowTop(c, spot) + px / 2, width, c.rowPx - 1 - px);
}

/** All boxes of a function, lightly. */
function drawFunction(c: Chart, func: number): void {
	const scene = sceneOf(c, c.width, 0.5, c.height);
	const inks = new Uint32Array(scene.tables.funcCount);
	inks[func] = c.palette.theme.dark ? 0x48ffffff : 0x30000000;
	const palette = { ...c.palette, full: inks, faded: inks, sampleFill: null };
	for (const [laid, y] of lanesInView(c)) {
		paintLane(c.parts.over, c.rasters.over, { ...scene, palette, labels: false }, laid, y);
	}
}

function drawSample(c: Chart, sample: number, colour: string, px: number): void {
	const { samples } = c.app.capture;
	if (sample < 0 || sample >= samples.count) return;
	const x = xOf(c, samples.timeNs[sample]);
	if (x < 0 || x > c.width) return;
	c.parts.over.context.fillStyle = colour;
	c.parts.over.context.fillRect(x, AXIS_PX - 6, px, c.height);
}

/** What is pointed at, the focus, the selected sample, and what lights up with a hover elsewhere. */
export function drawOver(c: Chart): void {
	if (c.width <= 0) return;
	const { hover, state } = c.app;
	const { theme } = c.palette;
	c.parts.over.begin(c.width, c.height);
	if (!c.pointed && hover.func !== NONE) drawFunction(c, hover.func);
	drawSample(c, state.sample, theme.accent, 1.5);
	if (!c.pointed) drawSample(c, hover.sample, theme.text, 1);
	if (c.focus) outline(c, c.focus, theme.accent, 3);
	if (c.pointed) outline(c, c.pointed, theme.text, 2);
}

export function draw(c: Chart): void {
	measure(c);
	if (c.width <= 0) return;
	const { main } = c.parts;
	main.begin(c.width, c.height);
	const density = Math.min(devicePixelRatio || 1, 2, 2400 / c.width);
	const scene = sceneOf(c, c.width, Math.max(density, 0.5), c.height);
	for (const [laid, y] of lanesInView(c)) paintLane(main, c.rasters.main, scene, laid, y);
	paintAxis(main, c.palette.theme, scene.window, c.width);
	drawOver(c);
}

/** With the next frame of the browser. */
export function drawLater(c: Chart): void {
	if (c.frame) return;
	c.frame = requestAnimationFrame(() => {
		c.frame = 0;
		draw(c);
	});
}

/** The frame at a point of the canvas; null if there is none. */
export function spotAt(c: Chart, x: number, y: number): Spot | null {
	const at = y - AXIS_PX + c.scroll;
	const laid = c.laid.find((l) => at >= l.rows && at < l.end);
	if (!laid || y < AXIS_PX) return null;
	const { lane } = laid;
	let place = placeOver(lane, timeAt(c, x + 0.5));
	if (place === NONE) {
		// a sample may be narrower than the pixel
		const near = placeFrom(lane, timeAt(c, x));
		if (near < lane.count && lane.timeNs[near] < timeAt(c, x + 1)) place = near;
	}
	const depth = Math.floor((at - laid.rows) / c.rowPx) + 1;
	const spot = { laid, place, depth };
	return place !== NONE && stackOf(c, spot) !== NONE ? spot : null;
}

/** The stack as shown that ends in a spot's frame. */
export const stackOf = (c: Chart, spot: Spot): number =>
	stackAt(c.app.shown().tables, spot.laid.lane.joined[0][spot.place], spot.depth);

export function funcOf(c: Chart, spot: Spot): number {
	const { tables } = c.app.shown();
	return tables.frameFunc[tables.stackFrame[stackOf(c, spot)]];
}
