// SPDX-License-Identifier: MIT
/** The flame chart onto a canvas: each lane an image of a pixel per row, stretched; then labels. */
import type { App } from '../app/app.js';
import type { Range } from '../app/state.js';
import { visible } from '../draw/text.js';
import type { ShownTables } from '../model/shown.js';
import type { Theme } from '../ui/colours.js';
import { functionColours, mixColours, rgbOf, textOn } from '../ui/colours.js';
import { searchFunctions } from '../ui/search.js';
import type { Columns, Inks } from './chart_columns.js';
import { fillImage, findRuns, makeColumns } from './chart_columns.js';
import type { LaidLane } from './chart_lanes.js';
import { HEAD_PX, threadTitle } from './chart_lanes.js';
import { stackAt } from './chart_series.js';
import type { Surface } from './flame_paint.js';
import { clockTime, roundStep, ticks } from './timeline_axis.js';
import { KIND_NAMES, kindOf } from './timeline_series.js';

export const AXIS_PX = 20;

/** Colours of what is shown, as text for labels and packed for images. */
export interface Palette extends Inks {
	readonly theme: Theme;
	readonly fills: readonly string[]; // by function
	readonly sampleFill: ((place: number) => string) | null;
}

const pack = (colour: string): number => {
	const [r, g, b] = rgbOf(colour);
	return ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
};

const stateFills = (theme: Theme): readonly string[] => {
	const s = theme.states;
	return [s.gilHeld, s.running, s.gc, s.gilWait, s.runnable, s.waiting, s.unknown, s.lost];
};

/** Fills and words for a legend of what threads do. */
export function stateLegend(theme: Theme): (readonly [string, string])[] {
	return stateFills(theme).map((fill, i) => [fill, KIND_NAMES[i] ?? '']);
}

/** For a legend: how columns look of which no one call takes all. */
export function fadedLegend(theme: Theme): readonly [string, string] {
	return [mixColours('#f7aa4e', theme.back, 0.5), 'faded: one of several short calls'];
}

export function makePalette(app: App, theme: Theme): Palette {
	const { tables } = app.shown();
	const { colouring, search } = app.state;
	const how = colouring === 'diff' || colouring === 'state' ? 'module' : colouring;
	const found = searchFunctions(tables, search);
	const plain = functionColours(theme, tables, how);
	const back = theme.dark ? '#5a5550' : theme.back;
	const fills = found
		? plain.map((c, f) => (found.matches[f] ? theme.match : mixColours(c, back, 0.65)))
		: plain;
	const { samples } = app.capture;
	const states = stateFills(theme);
	const byState = colouring === 'state' && !found;
	return {
		theme,
		fills,
		full: Uint32Array.from(fills, pack),
		faded: Uint32Array.from(fills, (c) => pack(mixColours(c, theme.back, 0.5))),
		sampleFill: byState
			? (row) => states[kindOf(samples.state[row], samples.flags[row])] ?? theme.states.unknown
			: null,
		sample: null,
	};
}

/** Inks of a lane: by state they are of its samples. */
export function inksOf(palette: Palette, first: number): Inks {
	const { sampleFill } = palette;
	if (!sampleFill) return palette;
	return { ...palette, sample: (place) => pack(sampleFill(first + place)) };
}

/** An image of its own, kept for its memory. */
export interface Raster {
	draw(
		target: CanvasRenderingContext2D,
		fill: (pixels: Uint32Array) => void,
		columns: number,
		rows: number,
		box: { x: number; y: number; width: number; height: number },
	): void;
}

export function makeRaster(): Raster {
	const canvas = document.createElement('canvas');
	const context = canvas.getContext('2d');
	let image: ImageData | null = null;
	return {
		draw(target, fill, columns, rows, box) {
			if (!context || columns < 1 || rows < 1) return;
			if (!image || image.width !== columns || image.height !== rows) {
				canvas.width = columns;
				canvas.height = rows;
				image = context.createImageData(columns, rows);
			}
			fill(new Uint32Array(image.data.buffer));
			context.putImageData(image, 0, 0);
			target.imageSmoothingEnabled = false;
			target.drawImage(canvas, box.x, box.y, box.width, box.height);
		},
	};
}

export function paintAxis(s: Surface, theme: Theme, window: Range, width: number): void {
	const { context, fitter } = s;
	const length = window.to - window.from;
	const step = roundStep((length / width) * 90);
	context.fillStyle = theme.back;
	context.fillRect(0, 0, width, AXIS_PX);
	context.fillStyle = theme.faint;
	context.fillRect(0, AXIS_PX - 1, width, 1);
	for (const at of ticks(window.from, window.to, step)) {
		const x = ((at - window.from) / length) * width;
		const text = clockTime(at, step, window.to);
		context.fillStyle = theme.faint;
		context.fillRect(x, AXIS_PX - 5, 1, 5);
		context.fillStyle = theme.dim;
		if (x + fitter.width(text) + 4 < width) context.fillText(text, x + 3, AXIS_PX / 2);
	}
}

/** What a lane needs to be painted. */
export interface Scene {
	readonly app: App;
	readonly tables: ShownTables;
	readonly palette: Palette;
	readonly window: Range;
	readonly width: number;
	readonly density: number; // columns per pixel
	readonly rowPx: number;
	readonly heightPx: number;
	readonly labels: boolean;
}

export function laneColumns(scene: Scene, laid: LaidLane): Columns {
	const { window, width, density, tables } = scene;
	const count = Math.max(1, Math.round(width * density));
	return makeColumns(tables, laid.lane, window.from, window.to, count);
}

/** A lane, its head at `y`. */
export function paintLane(
	s: Surface,
	raster: Raster,
	scene: Scene,
	laid: LaidLane,
	y: number,
): void {
	const { context, fitter } = s;
	const { app, palette, width, rowPx, tables } = scene;
	const { lane } = laid;
	const columns = laneColumns(scene, laid);
	const top = y + HEAD_PX;
	raster.draw(
		context,
		(pixels) => fillImage(columns, tables, inksOf(palette, lane.first), pixels, lane.depth),
		columns.count,
		lane.depth,
		{ x: 0, y: top, width, height: lane.depth * rowPx },
	);
	context.fillStyle = palette.theme.back;
	for (let d = 1; d <= lane.depth; d++) {
		const line = top + d * rowPx - 1;
		if (line >= AXIS_PX && line < scene.heightPx) context.fillRect(0, line, width, 1);
	}
	paintRuns(s, scene, laid, columns, top);
	context.fillStyle = palette.theme.text;
	context.fillText(
		fitter.fit(visible(threadTitle(app, lane.thread)), width - 8),
		4,
		y + HEAD_PX / 2 + 1,
	);
}

function paintRuns(s: Surface, scene: Scene, laid: LaidLane, columns: Columns, top: number): void {
	const { context, fitter } = s;
	const { palette, density, rowPx, tables, heightPx } = scene;
	const { lane } = laid;
	for (const run of findRuns(columns, lane.depth, 4 * density)) {
		const y = top + (run.depth - 1) * rowPx;
		if (y + rowPx < AXIS_PX || y > heightPx) continue;
		const x = run.from / density;
		const width = (run.to - run.from) / density;
		context.fillStyle = palette.theme.back;
		context.fillRect(x, y, 1, rowPx);
		context.fillRect(x + width - 0.5, y, 0.5, rowPx);
		if (width < 24 || !scene.labels) continue;
		const stack = stackAt(tables, lane.joined[0][run.place], run.depth);
		if (stack < 0) continue;
		const func = tables.frameFunc[tables.stackFrame[stack]];
		const text = fitter.fit(visible((tables.funcName[func] || '?').slice(0, 500)), width - 8);
		if (text === '') continue;
		const { sampleFill } = palette;
		const fill = sampleFill ? sampleFill(lane.first + run.place) : palette.fills[func];
		context.fillStyle = textOn(fill ?? palette.theme.pooled);
		context.fillText(text, x + 4, y + (rowPx - 1) / 2 + 0.5);
	}
}
