// SPDX-License-Identifier: MIT
/** Draws the rows that are in sight, on one canvas. */
import type { Range } from '../app/state.js';
import { NONE, type Span } from '../data/capture.js';
import { visible } from '../draw/text.js';
import { layerReady, placeAt } from '../model/pyramid.js';
import { rowsIn } from '../model/samples.js';
import { goneRows } from '../model/spans.js';
import { mixColours } from '../ui/colours.js';
import { drawNames } from './timeline_boxes.js';
import { type Lane, laneBoxes } from './timeline_lanes.js';
import { type LaneRow, type ProcessRow, rowsInSight, type TrackRow } from './timeline_layout.js';
import { type Lights, type Pixels, paintTrack, type Stripe } from './timeline_paint.js';
import { frameHeightOf, layerFor, type Timeline, trackFor } from './timeline_parts.js';
import { endOf, placeOf, type Track } from './timeline_series.js';

const BUDGET_MS = 4; // of a frame, for working out what is lit up
const GAP = 3; // between tracks, CSS pixels

let image: ImageData | null = null;

/**
 * Pixels for the canvas, all clear. Columns are written from the bottom to the top: a row is an odd
 * number of cache lines, so that the pixels of a column do not push each other out of the cache.
 */
function cleared(c: CanvasRenderingContext2D, width: number, height: number): Pixels {
	const row = (Math.ceil(width / 16) | 1) * 16;
	if (image === null || image.width !== row || image.height !== height) {
		image = c.createImageData(row, height);
	}
	const data = new Uint32Array(image.data.buffer);
	data.fill(0);
	return { data, width: row, height };
}

/** Draws everything in sight; asks for another frame if not all could be worked out in this one. */
export function drawScene(t: Timeline): void {
	const { canvas, scroll } = t.dom;
	const dpr = devicePixelRatio || 1;
	const width = Math.max(1, Math.round((t.left + t.width) * dpr));
	const height = Math.max(1, Math.round(t.height * dpr));
	if (canvas.width !== width || canvas.height !== height) {
		canvas.width = width;
		canvas.height = height;
	}
	const c = canvas.getContext('2d');
	if (c === null) return;
	const top = scroll.scrollTop;
	const [first, end] = rowsInSight(t.layout, top, top + t.height);
	const pixels = cleared(c, width, height);
	const until = performance.now() + BUDGET_MS;
	const expired = () => performance.now() > until;
	let all = true;
	for (const row of t.layout.rows.slice(first, end)) {
		if (row.kind === 'lane' || (row.kind === 'process' && !row.collapsed)) continue;
		all = paintRow(t, pixels, row, dpr, expired) && all;
	}
	if (image !== null) c.putImageData(image, 0, 0);
	c.setTransform(dpr, 0, 0, dpr, 0, 0);
	for (const row of t.layout.rows.slice(first, end)) {
		const y = row.y - top;
		if (row.kind === 'lane') drawLane(t, c, row, y);
		else if (row.kind === 'process') drawProcess(t, c, row, y);
		else drawTrack(t, c, row, y);
	}
	c.save();
	c.translate(t.left, 0);
	drawSelection(t, c);
	c.restore();
	if (!all) t.redraw();
}

function paintRow(
	t: Timeline,
	pixels: Pixels,
	row: TrackRow | ProcessRow,
	dpr: number,
	expired: () => boolean,
): boolean {
	const track = trackFor(t, row.threads);
	const left = Math.round(t.left * dpr);
	const stripe: Stripe = {
		left,
		width: Math.round((t.left + t.width) * dpr) - left,
		bottom: Math.round((row.y - t.dom.scroll.scrollTop + row.height - GAP / 2) * dpr),
		height: Math.round((row.height - GAP) * dpr),
		frame: frameHeightOf(t, row) * dpr,
		window: t.window,
		periodNs: t.tickPeriodNs,
		lossesNs: t.lossesNs,
	};
	const lights: Lights = { common: null, near: null, lit: null };
	const ready = readLayers(t, track, lights, expired);
	paintTrack(pixels, stripe, track, lights, t.palette);
	return ready;
}

/** What is lit up in the window, if there was time to work it out; false if there was not. */
function readLayers(
	t: Timeline,
	track: Track,
	lights: { -readonly [K in keyof Lights]: Lights[K] },
	expired: () => boolean,
): boolean {
	const from = Math.max(0, placeAt(track.series, t.window.from - t.tickPeriodNs) - 1);
	const to = placeAt(track.series, t.window.to, from);
	for (const which of ['common', 'lit', 'near'] as const) {
		const layer = layerFor(t, track, which);
		if (layer !== null && !layerReady(layer, from, to, expired)) return false;
		lights[which] = layer;
	}
	return true;
}

function drawLane(t: Timeline, c: CanvasRenderingContext2D, row: LaneRow, y: number): void {
	const lane = t.lanes[row.lane];
	const height = (row.height - 4) / lane.levels;
	const fill = laneColour(t, lane.name);
	c.save();
	c.beginPath();
	c.rect(t.left, y, t.width, row.height);
	c.clip();
	c.fillStyle = fill;
	c.beginPath();
	laneBoxes(lane, t.window.from, t.window.to, t.width, 2, (x, w, level) => {
		c.rect(t.left + x, y + 2 + level * height, Math.max(1, w - (w > 4 ? 0.5 : 0)), height - 1);
	});
	if (lane.thread !== NONE) {
		c.globalAlpha = 0.3;
		c.fill();
		drawRuns(t, c, lane, y + 2, height);
		nameSpans(t, c, lane, y + 2, height);
	} else c.fill();
	c.restore();
	c.fillStyle = t.theme.faint;
	c.fillRect(t.left, y + row.height - 1, t.width, 1);
}

const MOST_RUNS = 60_000; // samples; in more, spans are drawn as if they had run all the time

/** When a span was worked on, as far as samples say, what lies around it as well; of those selected. */
function drawRuns(
	t: Timeline,
	c: CanvasRenderingContext2D,
	lane: Lane,
	y: number,
	height: number,
): void {
	const { samples, spans } = t.capture;
	const [first, end] = rowsIn(t.capture, lane.thread, t.window);
	const gone = goneRows(t.capture, t.app.state.spans);
	if (!samples.span || end - first > MOST_RUNS) return;
	c.globalAlpha = 0.55;
	c.beginPath();
	for (let row = first; row < end; ) {
		const from = row;
		const own = samples.span[row];
		while (row < end && samples.span[row] === own) row++;
		const last = samples.timeNs[row - 1] + t.tickPeriodNs;
		const x = t.xOf(samples.timeNs[from]);
		const w = t.xOf(row < end ? Math.min(last, samples.timeNs[row]) : last) - x;
		for (let span: Span | undefined = spans[own - 1]; span; span = spans[span.parent]) {
			const level = lane.levelOf.get(span);
			if (level === undefined || gone?.[from]) break;
			c.rect(t.left + x, y + level * height, Math.max(0.7, w), height - 1);
		}
	}
	c.fill();
}

function nameSpans(
	t: Timeline,
	c: CanvasRenderingContext2D,
	lane: Lane,
	y: number,
	height: number,
): void {
	const { from, to } = t.window;
	c.globalAlpha = 1;
	c.font = '10px sans-serif';
	c.textBaseline = 'middle';
	laneBoxes(lane, from, to, t.width, 2, (x, w, level, { name, text }, count) => {
		// where one ends and the next begins
		c.fillStyle = t.theme.back;
		if (w > 4) c.fillRect(t.left + x + w - 1, y + level * height, 1, height - 1);
		c.fillStyle = t.theme.text;
		const seen = Math.max(0, x);
		const fits = Math.floor((Math.min(t.width, x + w) - seen - 6) / 6);
		const label = visible(`${name} ${text}`.trim().slice(0, Math.max(0, fits)));
		if (count === 1 && fits > 2) {
			c.fillText(label, t.left + seen + 3, y + (level + 0.5) * height);
		}
	});
}

/** Markers of what samples show too have the colour of that state. */
export function laneColour(t: Timeline, name: string): string {
	const { states, accent, text } = t.theme;
	if (/^gc\b|garbage/i.test(name)) return states.gc;
	if (/gil/i.test(name)) return states.gilWait;
	return mixColours(accent, text, 0.15);
}

function drawProcess(t: Timeline, c: CanvasRenderingContext2D, row: ProcessRow, y: number): void {
	c.fillStyle = t.theme.faint;
	c.globalAlpha = row.collapsed ? 1 : 0.5;
	if (row.collapsed) c.fillRect(t.left, y + row.height - 1, t.width, 1);
	else c.fillRect(0, y + 1, t.left + t.width, row.height - 2);
	c.globalAlpha = 1;
}

function drawTrack(t: Timeline, c: CanvasRenderingContext2D, row: TrackRow, y: number): void {
	c.fillStyle = t.theme.faint;
	c.fillRect(0, Math.round(y + row.height) - 1, t.left + t.width, 1);
	c.save();
	c.beginPath();
	c.rect(t.left, y, t.width, row.height - 1);
	c.clip();
	c.translate(t.left, 0);
	drawNames(t, c, row, y + row.height - GAP / 2);
	drawPicked(t, c, row, y);
	c.restore();
}

/** The selected sample has a frame around its column, the one below the pointer a thin one. */
function drawPicked(t: Timeline, c: CanvasRenderingContext2D, row: TrackRow, y: number): void {
	const { hover, state } = t.app;
	for (const [sample, line] of [
		[hover.sample, 1],
		[state.sample, 2],
	]) {
		if (sample === NONE || sample >= t.capture.samples.count) continue;
		if (!row.threads.includes(t.capture.samples.thread[sample])) continue;
		const { series } = trackFor(t, row.threads);
		const place = placeOf(series, sample, t.capture.samples.timeNs[sample]);
		if (place < 0) continue;
		const from = t.xOf(series.timeNs[place]);
		const end = series.many
			? series.timeNs[place] + t.tickPeriodNs
			: endOf(series, place, t.tickPeriodNs);
		const w = Math.max(2, t.xOf(end) - from);
		c.strokeStyle = t.theme.text;
		c.lineWidth = line;
		c.strokeRect(from - line / 2, y + line / 2, w + line, row.height - line - 1);
	}
}

/** Shades what is not selected, and draws the edges of ranges and the selected sample's moment. */
function drawSelection(t: Timeline, c: CanvasRenderingContext2D): void {
	const { preview, state } = t.app;
	const comparing = t.drag?.compare === true;
	const range = (comparing ? null : preview) ?? state.ranges.at(-1);
	const compare = comparing ? (t.drag?.range ?? null) : state.compare;
	if (range !== undefined) shadeOutside(t, c, range, compare);
	if (range !== undefined) drawEdges(t, c, range, t.theme.accent, 0);
	if (compare !== null) drawEdges(t, c, compare, t.compareColour, 0.14);
	if (state.sample === NONE || state.sample >= t.capture.samples.count) return;
	const x = Math.round(t.xOf(t.capture.samples.timeNs[state.sample])) + 0.5;
	c.strokeStyle = t.theme.text;
	c.globalAlpha = 0.4;
	c.lineWidth = 1;
	c.setLineDash([2, 3]);
	c.beginPath();
	c.moveTo(x, 0);
	c.lineTo(x, t.height);
	c.stroke();
	c.setLineDash([]);
	c.globalAlpha = 1;
}

function shadeOutside(
	t: Timeline,
	c: CanvasRenderingContext2D,
	range: Range,
	compare: Range | null,
): void {
	c.fillStyle = t.theme.back;
	c.globalAlpha = 0.6;
	let from = 0;
	const holes = compare === null ? [range] : [range, compare];
	for (const hole of holes.sort((a, b) => a.from - b.from)) {
		const x = t.xOf(hole.from);
		if (x > from) c.fillRect(from, 0, x - from, t.height);
		from = Math.max(from, t.xOf(hole.to));
	}
	if (from < t.width) c.fillRect(from, 0, t.width - from, t.height);
	c.globalAlpha = 1;
}

function drawEdges(
	t: Timeline,
	c: CanvasRenderingContext2D,
	range: Range,
	colour: string,
	tint: number,
): void {
	const [from, to] = [t.xOf(range.from), t.xOf(range.to)];
	c.fillStyle = colour;
	if (tint > 0) {
		c.globalAlpha = tint;
		c.fillRect(from, 0, to - from, t.height);
		c.globalAlpha = 1;
	}
	c.fillRect(Math.round(from) - 1, 0, 2, t.height);
	c.fillRect(Math.round(to) - 1, 0, 2, t.height);
}
