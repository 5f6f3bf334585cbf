// SPDX-License-Identifier: MIT
/** The head of the timeline: activity of the whole capture, and the axis of what is shown. */
import type { Range } from '../app/state.js';
import { KINDS, Kind } from '../model/pyramid.js';
import { clockTime, roundStep, ticks } from './timeline_axis.js';
import { kindColours } from './timeline_paint.js';
import type { Timeline } from './timeline_parts.js';

export const OVERVIEW_HEIGHT = 34;
export const AXIS_HEIGHT = 24;
export const HEAD_HEIGHT = OVERVIEW_HEIGHT + AXIS_HEIGHT;

/** Weight by kind in equal bins of the whole capture: bin i of kind k is at k * bins + i. */
export interface Activity {
	readonly bins: number;
	readonly weight: Float64Array;
	readonly most: number; // of a bin, of all kinds that are drawn
}

/** Kinds that count as activity, bottom to top. */
const ACTIVE: readonly Kind[] = [Kind.GilHeld, Kind.Running, Kind.Gc, Kind.GilWait, Kind.Runnable];

/** Of the threads that are not hidden. Walks all samples: 1 million take some milliseconds. */
export function makeActivity(t: Timeline): Activity {
	const { capture, drawn } = t;
	const { samples } = capture;
	const hidden = new Set(t.app.state.tracks.hidden);
	const spans = capture.durationNs / Math.max(1, t.tickPeriodNs);
	const bins = Math.max(40, Math.min(800, Math.floor(spans / 4)));
	const weight = new Float64Array(bins * KINDS);
	const scale = bins / Math.max(1, capture.durationNs);
	for (const thread of capture.threads) {
		if (hidden.has(thread.row)) continue;
		for (let r = thread.first; r < thread.first + thread.count; r++) {
			const bin = Math.min(bins - 1, Math.floor(samples.timeNs[r] * scale));
			weight[drawn.kind[r] * bins + bin] += samples.weight === null ? 1 : samples.weight[r];
		}
	}
	let most = 0;
	for (let i = 0; i < bins; i++) {
		let sum = 0;
		for (const kind of ACTIVE) sum += weight[kind * bins + i];
		most = Math.max(most, sum);
	}
	return { bins, weight, most };
}

function drawActivity(
	t: Timeline,
	c: CanvasRenderingContext2D,
	activity: Activity,
	width: number,
): void {
	const colours = kindColours(t.theme);
	const { bins, weight, most } = activity;
	const height = OVERVIEW_HEIGHT - 4;
	const below = new Float64Array(bins);
	for (const kind of ACTIVE) {
		c.fillStyle = colours[kind];
		c.beginPath();
		for (let i = 0; i < bins; i++) {
			const h = most > 0 ? (weight[kind * bins + i] / most) * height : 0;
			if (h <= 0) continue;
			const x = (i * width) / bins;
			c.rect(x, OVERVIEW_HEIGHT - below[i] - h, width / bins, h);
			below[i] += h;
		}
		c.fill();
	}
}

let kept: { activity: Activity; key: string; image: HTMLCanvasElement } | null = null;

/** The strip without its window: drawn again only when it would look different. */
function strip(t: Timeline, activity: Activity, dpr: number): HTMLCanvasElement {
	const key = `${t.width} ${dpr} ${t.theme.dark}`;
	if (kept !== null && kept.activity === activity && kept.key === key) return kept.image;
	const image = document.createElement('canvas');
	image.width = Math.max(1, Math.round(t.width * dpr));
	image.height = Math.round(OVERVIEW_HEIGHT * dpr);
	const c = image.getContext('2d');
	if (c !== null) {
		c.scale(dpr, dpr);
		drawActivity(t, c, activity, t.width);
	}
	kept = { activity, key, image };
	return image;
}

/** x of a time in the overview, from the left of the plot. */
export function overviewX(t: Timeline, ns: number): number {
	return (ns / Math.max(1, t.capture.durationNs)) * t.width;
}

export function drawHead(t: Timeline, activity: Activity): void {
	const canvas = t.dom.headCanvas;
	const dpr = devicePixelRatio || 1;
	const full = t.left + t.width;
	const [w, h] = [Math.round(full * dpr), Math.round(HEAD_HEIGHT * dpr)];
	if (canvas.width !== w || canvas.height !== h) {
		canvas.width = w;
		canvas.height = h;
	}
	const c = canvas.getContext('2d');
	if (c === null) return;
	c.setTransform(dpr, 0, 0, dpr, 0, 0);
	c.clearRect(0, 0, full, HEAD_HEIGHT);
	c.translate(t.left, 0);
	c.drawImage(strip(t, activity, dpr), 0, 0, t.width, OVERVIEW_HEIGHT);
	drawRangesAbove(t, c);
	drawShownWindow(t, c);
	drawAxis(t, c);
}

function drawRangesAbove(t: Timeline, c: CanvasRenderingContext2D): void {
	const { state, preview } = t.app;
	const bar = (range: Range, colour: string) => {
		const x = overviewX(t, range.from);
		c.fillStyle = colour;
		c.globalAlpha = 0.28;
		c.fillRect(x, 0, Math.max(2, overviewX(t, range.to) - x), OVERVIEW_HEIGHT);
		c.globalAlpha = 1;
		c.fillRect(x, 0, Math.max(2, overviewX(t, range.to) - x), 3);
	};
	for (const range of state.ranges) bar(range, t.theme.accent);
	if (state.compare !== null) bar(state.compare, t.compareColour);
	if (preview !== null) bar(preview, t.theme.accent);
	if (t.drag?.compare) bar(t.drag.range, t.compareColour);
}

/** What is not shown lies in the shade; the window has handles. */
function drawShownWindow(t: Timeline, c: CanvasRenderingContext2D): void {
	const from = overviewX(t, t.window.from);
	const to = Math.max(from + 2, overviewX(t, t.window.to));
	c.globalAlpha = 0.66;
	c.fillStyle = t.theme.back;
	c.fillRect(0, 0, from, OVERVIEW_HEIGHT);
	c.fillRect(to, 0, t.width - to, OVERVIEW_HEIGHT);
	c.globalAlpha = 1;
	c.strokeStyle = t.theme.dim;
	c.lineWidth = 1;
	c.strokeRect(from + 0.5, 0.5, to - from - 1, OVERVIEW_HEIGHT - 1);
	c.fillStyle = t.theme.dim;
	for (const x of [from, to - 3]) c.fillRect(x, OVERVIEW_HEIGHT / 2 - 7, 3, 14);
}

function drawAxis(t: Timeline, c: CanvasRenderingContext2D): void {
	const { window: w, width, theme } = t;
	const perPixel = (w.to - w.from) / width;
	c.font = '11px system-ui, sans-serif';
	const label = (ns: number, step: number) => clockTime(ns, step, w.to);
	let step = roundStep(perPixel * 60);
	const room = c.measureText(label(w.to, step)).width + 16;
	step = roundStep(perPixel * Math.max(60, room));
	c.textBaseline = 'middle';
	c.textAlign = 'left';
	const y = OVERVIEW_HEIGHT;
	drawRangesOnAxis(t, c);
	for (const at of ticks(w.from, w.to, step / 5)) {
		const x = Math.round(t.xOf(at)) + 0.5;
		const major = Math.abs(at / step - Math.round(at / step)) < 1e-6;
		c.fillStyle = theme.dim;
		c.fillRect(x - 0.5, major ? y + 2 : y + AXIS_HEIGHT - 4, 1, major ? AXIS_HEIGHT - 2 : 4);
		if (!major) continue;
		c.fillStyle = theme.text;
		const text = label(at, step);
		if (x + 4 + c.measureText(text).width <= width) c.fillText(text, x + 4, y + AXIS_HEIGHT / 2);
	}
	drawLosses(t, c);
}

function drawRangesOnAxis(t: Timeline, c: CanvasRenderingContext2D): void {
	const { ranges, compare } = t.app.state;
	const bar = (range: Range, colour: string, y: number) => {
		const from = Math.max(0, t.xOf(range.from));
		const to = Math.min(t.width, t.xOf(range.to));
		if (to <= 0 || from >= t.width) return;
		c.fillStyle = colour;
		c.fillRect(from, y, Math.max(1, to - from), 3);
	};
	ranges.forEach((range, i) => {
		bar(range, t.theme.accent, HEAD_HEIGHT - 3 * Math.min(4, ranges.length - i));
	});
	if (compare !== null) bar(compare, t.compareColour, OVERVIEW_HEIGHT);
}

/** Ticks that were lost, as marks at the top of the axis; those of a pixel are one. */
function drawLosses(t: Timeline, c: CanvasRenderingContext2D): void {
	c.fillStyle = t.theme.states.lost;
	let last = -10;
	for (const loss of t.capture.losses) {
		const x = t.xOf(loss.timeNs);
		if (x < -3 || x > t.width + 3 || x - last < 1) continue;
		last = x;
		c.beginPath();
		c.moveTo(x - 3.5, OVERVIEW_HEIGHT);
		c.lineTo(x + 3.5, OVERVIEW_HEIGHT);
		c.lineTo(x, OVERVIEW_HEIGHT + 6);
		c.fill();
	}
}
