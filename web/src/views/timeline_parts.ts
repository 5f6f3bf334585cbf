// SPDX-License-Identifier: MIT
/** What the parts of the timeline share: what is drawn now, and how to ask for more. */
import type { App } from '../app/app.js';
import type { Range } from '../app/state.js';
import { type Capture, type Marker, NONE } from '../data/capture.js';
import { type Kind, type Layer, makeLayer, setValues } from '../model/pyramid.js';
import type { ShownTables } from '../model/shown.js';
import type { Theme } from '../ui/colours.js';
import type { Lane } from './timeline_lanes.js';
import { frameHeight, type Layout, lowDepth, type Row, type TrackRow } from './timeline_layout.js';
import type { Palette } from './timeline_paint.js';
import { type Drawn, makeTrack, type Track } from './timeline_series.js';

export interface Dom {
	readonly root: HTMLElement;
	readonly bar: HTMLElement;
	readonly head: HTMLElement;
	readonly headCanvas: HTMLCanvasElement;
	readonly scroll: HTMLElement;
	readonly space: HTMLElement;
	readonly stick: HTMLElement;
	readonly canvas: HTMLCanvasElement;
	readonly labels: HTMLElement;
	readonly grip: HTMLElement;
	readonly text: HTMLElement; // for screen readers
	readonly live: HTMLElement; // says what was selected
}

/** A range being made with the pointer. */
export interface Drag {
	readonly range: Range;
	readonly compare: boolean;
}

export interface Timeline {
	readonly app: App;
	readonly capture: Capture;
	drawn: Drawn;
	kinds: readonly Kind[]; // that there are samples of
	busy: Float64Array; // by thread: weight of the samples in which it ran
	readonly dom: Dom;
	/** As drawn; the state follows when a gesture is over. */
	window: Range;
	layout: Layout;
	lanes: readonly Lane[];
	theme: Theme;
	palette: Palette;
	compareColour: string;
	readonly collapsed: Set<number>;
	readonly tall: Set<number>;
	allTall: boolean;
	left: number; // width of the labels; 0: they lie on the tracks
	width: number; // of the plot, CSS pixels
	height: number; // of what is in sight of the rows
	drag: Drag | null;
	comparing: boolean; // the next drag makes the range to compare with
	tickPeriodNs: number; // periodNs, or a guess at it
	lossesNs: Float64Array;
	seen: readonly Marker[]; // what markers would say, from the samples
	readonly lights: LightValues;
	/** Draws before the next frame. */
	redraw(): void;
	/** Shows another window, and lets the state know when it has come to rest. */
	show(window: Range): void;
	/** Makes the rows anew. */
	relayout(): void;
	/** Nanoseconds at x, from the left of the plot. */
	timeAt(x: number): number;
	xOf(timeNs: number): number;
}

/** By stack of the capture: how deep it is lit up; null: nothing is. */
export interface LightValues {
	common: Uint16Array | null; // frames in common with the selected sample
	near: Uint16Array | null; // with the sample below the pointer
	lit: Uint16Array | null; // depth of the outermost call of the function below the pointer
	nearStack: number; // what they were made for
	litFunc: number;
	litOf: ShownTables | null;
}

export type Light = 'common' | 'near' | 'lit';

const tracksByThreads = new WeakMap<Timeline, Map<string, Track>>();
const tracksByRow = new WeakMap<readonly number[], Track>();

/** The track of some threads: made when it is first in sight, kept. */
export function trackFor(t: Timeline, threads: readonly number[]): Track {
	let track = tracksByRow.get(threads);
	if (track !== undefined) return track;
	let known = tracksByThreads.get(t);
	if (known === undefined) {
		known = new Map();
		tracksByThreads.set(t, known);
	}
	const key = threads.join();
	track = known.get(key) ?? makeTrack(t.capture, t.drawn, threads);
	known.set(key, track);
	tracksByRow.set(threads, track);
	return track;
}

/** After which tracks are made anew: the samples are others. */
export function forgetTracks(t: Timeline): void {
	tracksByThreads.delete(t);
}

/** CSS pixels that a frame is high in a row. */
export function frameHeightOf(t: Timeline, row: Row): number {
	if (row.kind === 'lane') return 0;
	const track = trackFor(t, row.threads);
	const tall = row.kind === 'track' && row.tall;
	return frameHeight(row.height, lowDepth(track.usual, track.deepest), tall);
}

const layers: Record<Light, WeakMap<Track, Layer>> = {
	common: new WeakMap(),
	near: new WeakMap(),
	lit: new WeakMap(),
};

/** The layer of a track for what is lit up now; null if nothing is. */
export function layerFor(t: Timeline, track: Track, which: Light): Layer | null {
	const values = t.lights[which];
	if (values === null) return null;
	let layer = layers[which].get(track);
	if (layer === undefined) {
		layer = makeLayer(track.series, values);
		layers[which].set(track, layer);
	} else if (layer.values !== values) {
		setValues(layer, values);
	}
	return layer;
}

/** By stack of the capture: depth of the outermost call of a function (of the shown tables), or 0. */
export function litDepths(app: App, func: number): Uint16Array | null {
	const { tables, stackOf } = app.shown();
	if (func < 0 || func >= tables.funcCount) return null;
	const { stacks, frames } = app.capture;
	const lit = new Uint16Array(stacks.count);
	const own = tables.funcOwn[func];
	if (own !== NONE) {
		for (let s = 0; s < stacks.count; s++) {
			const parent = stacks.parent[s];
			const above = parent === NONE ? 0 : lit[parent];
			lit[s] = above !== 0 || frames.func[stacks.frame[s]] !== own ? above : stacks.depth[s];
		}
		return lit;
	}
	const has = new Uint8Array(tables.stackCount);
	for (let s = 0; s < tables.stackCount; s++) {
		const parent = tables.stackParent[s];
		const here = tables.frameFunc[tables.stackFrame[s]] === func;
		has[s] = here || (parent !== NONE && has[parent] === 1) ? 1 : 0;
	}
	for (let s = 0; s < stacks.count; s++) {
		if (stackOf[s] !== NONE) lit[s] = has[stackOf[s]];
	}
	return lit;
}

const shownFuncs = new WeakMap<ShownTables, Map<number, number>>();

/** The shown function that stands for one of the capture; NONE if that is merged or left out. */
export function shownFunc(app: App, func: number): number {
	const { tables } = app.shown();
	let map = shownFuncs.get(tables);
	if (map === undefined) {
		map = new Map();
		for (let f = 0; f < tables.funcCount; f++) {
			if (tables.funcOwn[f] !== NONE) map.set(tables.funcOwn[f], f);
		}
		shownFuncs.set(tables, map);
	}
	return map.get(func) ?? NONE;
}

/** Rows of the tracks only, as laid out. */
export function trackRows(t: Timeline): TrackRow[] {
	return t.layout.rows.filter((row): row is TrackRow => row.kind === 'track');
}

/** The range in force, if one is selected. */
export function lastRange(t: Timeline): Range | null {
	return t.app.state.ranges.at(-1) ?? null;
}
