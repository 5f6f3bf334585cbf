// SPDX-License-Identifier: MIT
/** Names of functions on the frames of a track, where there is room for them. */
import { type Capture, NONE, type Stacks } from '../data/capture.js';
import { makeFitter, visible } from '../draw/text.js';
import { placeAt, type Series } from '../model/pyramid.js';
import { textOn } from '../ui/colours.js';
import type { TrackRow } from './timeline_layout.js';
import { kindColours } from './timeline_paint.js';
import { frameHeightOf, type Timeline, trackFor } from './timeline_parts.js';
import { endOf } from './timeline_series.js';

const LEAST_HEIGHT = 9; // of a frame with a name
const LEAST_WIDTH = 26;
const MOST_SAMPLES = 600; // in sight, in a track with names

/** Neighbours in which the same stack goes on to the same depth. */
interface Run {
	stack: number;
	start: number;
	kind: number;
}

const fitters = new Map<string, ReturnType<typeof makeFitter>>();

function fitterFor(c: CanvasRenderingContext2D): ReturnType<typeof makeFitter> {
	let fitter = fitters.get(c.font);
	if (fitter === undefined) {
		fitter = makeFitter((text) => c.measureText(text).width);
		fitters.set(c.font, fitter);
	}
	return fitter;
}

/**
 * Writes names into a track whose lowest pixel row ends at `bottom`. A name goes once over all
 * neighbours that have the frame in common, from the root up.
 */
export function drawNames(
	t: Timeline,
	c: CanvasRenderingContext2D,
	row: TrackRow,
	bottom: number,
): void {
	const frame = frameHeightOf(t, row);
	if (frame < LEAST_HEIGHT || row.threads.length > 1) return;
	const { series } = trackFor(t, row.threads);
	const { window: w } = t;
	const first = Math.max(0, placeAt(series, w.from) - 1);
	const end = placeAt(series, w.to, first);
	if (end - first > MOST_SAMPLES) return;
	c.font = `${Math.min(11, Math.floor(frame) - 1)}px system-ui, sans-serif`;
	c.textBaseline = 'middle';
	c.textAlign = 'left';
	const runs: Run[] = [];
	for (let place = first; place < end; place++) {
		const x = t.xOf(series.timeNs[place]);
		follow(series.stack[place], series.kind[place], runs, x, (d, run) => write(d, run, x));
		const until = endOf(series, place, t.tickPeriodNs);
		const next = place + 1 < end ? series.timeNs[place + 1] : Infinity;
		if (until < next) {
			const over = t.xOf(until);
			follow(NONE, 0, runs, over, (d, run) => write(d, run, over));
		}
	}
	follow(NONE, 0, runs, t.width, (d, run) => write(d, run, t.width));

	function write(depth: number, run: Run, until: number): void {
		const from = Math.max(0, run.start);
		const room = Math.min(t.width, until) - from - 6;
		if (room < LEAST_WIDTH) return;
		const name = fitterFor(c).fit(nameOf(t, run.stack), room);
		if (name === '') return;
		c.fillStyle = inkFor(t, run, depth);
		c.fillText(name, from + 3, bottom - (depth - 0.5) * frame);
	}

	function follow(
		stack: number,
		kind: number,
		open: Run[],
		x: number,
		closed: (depth: number, run: Run) => void,
	): void {
		const path = pathOf(t, stack);
		for (let d = 0; d < Math.max(open.length, path.length); d++) {
			if (d < open.length && open[d].stack === path[d]) continue;
			for (let o = d; o < open.length; o++) closed(o + 1, open[o]);
			open.length = d;
			for (let n = d; n < path.length; n++) open.push({ stack: path[n], start: x, kind });
			return;
		}
	}
}

/** The stacks from the root to this one. */
function pathOf(t: Timeline, stack: number): number[] {
	const { parent } = t.capture.stacks;
	const path: number[] = [];
	for (let s = stack; s !== NONE; s = parent[s]) path.push(s);
	return path.reverse();
}

const names = new WeakMap<Timeline, Map<number, string>>();

function nameOf(t: Timeline, stack: number): string {
	const { stacks, frames, functions, strings } = t.capture;
	const func = frames.func[stacks.frame[stack]];
	let known = names.get(t);
	if (known === undefined) {
		known = new Map();
		names.set(t, known);
	}
	let name = known.get(func);
	if (name === undefined) {
		name = visible(strings[functions.name[func]].slice(0, 300));
		known.set(func, name);
	}
	return name;
}

/** Dark or white, as it reads on what the frame was painted with: the same for all of a run. */
function inkFor(t: Timeline, run: Run, depth: number): string {
	const lit = t.lights.lit?.[run.stack] ?? 0;
	if (lit !== 0 && depth === lit) return textOn(t.theme.match);
	const common = t.lights.common?.[run.stack] ?? 0;
	return textOn(depth <= common ? t.theme.common : kindColours(t.theme)[run.kind]);
}

/** The frame (depth from the root, from 1) at a height above the bottom of a track; 0: above all. */
export function depthAt(frame: number, depth: number, above: number): number {
	const at = Math.floor(above / frame) + 1;
	return above >= 0 && at <= depth ? at : 0;
}

/** A stack cut at a depth. */
function cutAt(stacks: Stacks, stack: number, depth: number): number {
	let s = stack;
	for (let d = stacks.depth[stack]; d > depth; d--) s = stacks.parent[s];
	return s;
}

/** A frame of a column: the function that most of its samples have at a depth. */
export interface ColumnFrame {
	readonly stack: number; // of one of them, cut at the frame; NONE: no sample is so deep
	readonly share: number; // of the samples of the column, that have the function there
}

const MOST_COUNTED = 2000; // samples of a column, evenly spread

/** What is at a depth (1: the root) of the samples at places [from, to) of a series. */
export function frameInColumn(
	{ stacks, frames }: Pick<Capture, 'stacks' | 'frames'>,
	{ stack, depth: depths }: Pick<Series, 'stack' | 'depth'>,
	from: number,
	to: number,
	depth: number,
): ColumnFrame {
	const ends = new Map<number, number>(); // of a stack: cut at the depth
	const counts = new Map<number, number>(); // by function
	const step = Math.max(1, Math.ceil((to - from) / MOST_COUNTED));
	let [best, most, all] = [NONE, 0, 0];
	for (let place = from; place < to; place += step, all++) {
		if (depth < 1 || depths[place] < depth) continue;
		const end = ends.get(stack[place]) ?? cutAt(stacks, stack[place], depth);
		ends.set(stack[place], end);
		const func = frames.func[stacks.frame[end]];
		const count = (counts.get(func) ?? 0) + 1;
		counts.set(func, count);
		if (count > most) [best, most] = [end, count];
	}
	return { stack: best, share: most / Math.max(1, all) };
}
