// SPDX-License-Identifier: MIT
/** Draws the heat map: the columns in sight, with their axes. */
import type { Range } from '../app/state.js';
import { mixColours, type Theme } from '../ui/colours.js';
import { binsOfRange, cellOf, type Grid, stripes } from './heatmap_grid.js';
import { clockTime, roundStep, ticks } from './timeline_axis.js';

export const AXIS_LEFT = 64;
export const AXIS_BOTTOM = 22;
const STEPS = 12;

/** What is drawn. */
export interface Picture {
	readonly grid: Grid;
	readonly counts: Float64Array; // by bin
	readonly top: number; // the count with the last colour
	readonly theme: Theme;
	readonly scroll: number; // pixels that are out of sight at the left
	readonly width: number; // of what is in sight, without the axis
	readonly selected: Range | null;
	readonly dragged: Range | null;
	readonly cursor: number; // a bin, -1: none
	readonly compare: Range | null;
	readonly compareColour: string;
}

/** From nothing (0) to the most (last): light to dark, or dark to light on a dark page. */
export function heatColours(theme: Theme): string[] {
	const stops = theme.dark
		? ['#4a2b14', '#b35717', '#ffb169', '#fff3e2']
		: ['#fbe3c4', '#f3a33f', '#c24e12', '#3f1305'];
	const colours = [mixColours(theme.back, theme.faint, 0.45)];
	for (let i = 0; i < STEPS; i++) {
		const at = (i / (STEPS - 1)) * (stops.length - 1);
		const low = Math.min(stops.length - 2, Math.floor(at));
		colours.push(mixColours(stops[low], stops[low + 1], at - low));
	}
	return colours;
}

/** Row in heatColours() of a count. */
export function heatStep(count: number, top: number): number {
	if (count <= 0) return 0;
	return Math.max(1, Math.min(STEPS, Math.ceil((count / top) * STEPS)));
}

export function drawHeat(c: CanvasRenderingContext2D, p: Picture): void {
	const { grid, counts, top, theme } = p;
	const colours = heatColours(theme);
	const height = grid.rows * grid.cellHeight;
	c.save();
	c.beginPath();
	c.rect(AXIS_LEFT, 0, p.width, height);
	c.clip();
	c.translate(AXIS_LEFT - p.scroll, 0);
	const first = Math.max(0, Math.floor(p.scroll / grid.cellWidth));
	const end = Math.min(grid.columns, Math.ceil((p.scroll + p.width) / grid.cellWidth));
	const gapX = grid.cellWidth >= 8 ? 1 : 0;
	const gapY = grid.cellHeight >= 7 ? 1 : 0;
	for (let bin = first * grid.rows; bin < Math.min(counts.length, end * grid.rows); bin++) {
		const { x, y } = cellOf(grid, bin);
		c.fillStyle = colours[heatStep(counts[bin], top)];
		c.fillRect(x, y, grid.cellWidth - gapX, grid.cellHeight - gapY);
	}
	if (p.compare !== null) drawBand(c, p, p.compare, p.compareColour, false);
	const selected = p.dragged ?? p.selected;
	if (selected !== null) drawBand(c, p, selected, theme.accent, true);
	if (p.cursor >= 0) drawCursor(c, p);
	c.restore();
	drawAxes(c, p, height);
}

function drawBand(
	c: CanvasRenderingContext2D,
	p: Picture,
	range: Range,
	colour: string,
	shade: boolean,
): void {
	const { grid } = p;
	const [first, end] = binsOfRange(grid, range);
	const within = stripes(grid, first, end);
	const bottom = grid.rows * grid.cellHeight;
	const path = new Path2D();
	for (const { column, low, high } of within) {
		const y = bottom - high * grid.cellHeight;
		path.rect(column * grid.cellWidth, y, grid.cellWidth, (high - low) * grid.cellHeight);
	}
	if (shade) {
		const outside = new Path2D();
		outside.rect(0, 0, grid.columns * grid.cellWidth, bottom);
		outside.addPath(path);
		c.fillStyle = p.theme.back;
		c.globalAlpha = 0.6;
		c.fill(outside, 'evenodd');
		c.globalAlpha = 1;
	}
	c.strokeStyle = colour;
	c.lineWidth = 2;
	outline(c, grid, within, bottom);
}

/** Around the columns together: lines between two of them only where one is longer. */
function outline(
	c: CanvasRenderingContext2D,
	grid: Grid,
	parts: readonly { column: number; low: number; high: number }[],
	bottom: number,
): void {
	const y = (row: number) => bottom - row * grid.cellHeight;
	c.beginPath();
	parts.forEach(({ column, low, high }, i) => {
		const x = column * grid.cellWidth;
		const right = x + grid.cellWidth;
		c.moveTo(x, y(high));
		c.lineTo(right, y(high));
		c.moveTo(x, y(low));
		c.lineTo(right, y(low));
		const before = i > 0 ? parts[i - 1] : null;
		c.moveTo(x, y(low));
		c.lineTo(x, y(before === null ? high : before.low));
		if (before !== null) {
			c.moveTo(x, y(high));
			c.lineTo(x, y(before.high));
		}
		if (i === parts.length - 1) {
			c.moveTo(right, y(low));
			c.lineTo(right, y(high));
		}
	});
	c.stroke();
}

function drawCursor(c: CanvasRenderingContext2D, p: Picture): void {
	const { x, y } = cellOf(p.grid, p.cursor);
	c.strokeStyle = p.theme.text;
	c.lineWidth = 2;
	c.strokeRect(x, y, p.grid.cellWidth, p.grid.cellHeight);
}

function drawAxes(c: CanvasRenderingContext2D, p: Picture, height: number): void {
	const { grid, theme } = p;
	c.font = '11px system-ui, sans-serif';
	c.fillStyle = theme.dim;
	c.textBaseline = 'middle';
	c.textAlign = 'right';
	for (let i = 0; i <= 5; i++) {
		const y = height - (i / 5) * height;
		const label = `+${clockTime((grid.periodNs * i) / 5, grid.periodNs / 5, grid.periodNs)}`;
		c.fillText(label, AXIS_LEFT - 6, Math.max(6, Math.min(height - 6, y)));
		c.fillRect(AXIS_LEFT - 4, Math.min(height - 1, y), 4, 1);
	}
	c.textAlign = 'left';
	const perPixel = grid.periodNs / grid.cellWidth;
	const step = Math.max(grid.periodNs, roundStep(perPixel * 70));
	const from = p.scroll * perPixel;
	const to = Math.min(grid.columns * grid.periodNs, (p.scroll + p.width) * perPixel);
	for (const at of ticks(from, to, step)) {
		const x = AXIS_LEFT + at / perPixel - p.scroll;
		c.fillRect(x, height + 1, 1, 5);
		if (x + 30 < AXIS_LEFT + p.width)
			c.fillText(clockTime(at, step, grid.durationNs), x + 3, height + 12);
	}
}
