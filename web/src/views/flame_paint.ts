// SPDX-License-Identifier: MIT
/** Boxes of a flame graph onto a canvas, and what lies over them: hover, focus, path. */
import type { Boxes } from '../draw/layout.js';
import { FONT } from '../draw/svg.js';
import type { Fitter } from '../draw/text.js';
import { makeFitter } from '../draw/text.js';
import type { Theme } from '../ui/colours.js';
import { faintOn, textOn } from '../ui/colours.js';
import { formatCount, formatPercent } from '../ui/format.js';
import type { Look } from './flame_look.js';

export const FONT_PX = 12;

/** From depths to pixels of the canvas. */
export interface Rows {
	readonly rowPx: number;
	readonly rootAtTop: boolean;
	readonly contentPx: number; // of all rows
	readonly scrollPx: number; // what is scrolled away above the canvas
	readonly heightPx: number; // of the canvas
	readonly hideRoot: boolean; // node 0 is not drawn
}

/** Top of the row of a depth, in the canvas. */
export function rowTop(rows: Rows, depth: number): number {
	const d = rows.hideRoot ? depth - 1 : depth;
	const y = rows.rootAtTop ? d * rows.rowPx : rows.contentPx - (d + 1) * rows.rowPx;
	return y - rows.scrollPx;
}

/** The depth at y of the canvas. */
export function depthAt(rows: Rows, y: number): number {
	const content = y + rows.scrollPx;
	const d = rows.rootAtTop
		? Math.floor(content / rows.rowPx)
		: Math.floor((rows.contentPx - content - 0.01) / rows.rowPx);
	return rows.hideRoot ? d + 1 : d;
}

export interface Surface {
	readonly canvas: HTMLCanvasElement;
	readonly context: CanvasRenderingContext2D;
	readonly fitter: Fitter;
	/** Sets size and scale anew, and clears. */
	begin(width: number, height: number): void;
}

/** A canvas that knows the density of the screen and the widths of its font. */
export function makeSurface(canvas: HTMLCanvasElement): Surface {
	const context = canvas.getContext('2d');
	if (!context) throw new Error('this browser draws no canvas');
	const font = `${FONT_PX}px ${FONT}`;
	context.font = font;
	const fitter = makeFitter((text) => context.measureText(text).width);
	return {
		canvas,
		context,
		fitter,
		begin(width, height) {
			const ratio = devicePixelRatio || 1;
			const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
			if (canvas.width !== w || canvas.height !== h) {
				canvas.width = w;
				canvas.height = h;
			}
			context.setTransform(ratio, 0, 0, ratio, 0, 0);
			context.clearRect(0, 0, width, height);
			context.font = font;
			context.textBaseline = 'middle';
			context.textAlign = 'left';
		},
	};
}

/** The hatch of what stands for many. */
export function hatchOf(context: CanvasRenderingContext2D, theme: Theme): CanvasPattern | string {
	const tile = document.createElement('canvas');
	const size = 12;
	tile.width = size;
	tile.height = size;
	const c = tile.getContext('2d');
	if (!c) return theme.pooled;
	c.fillStyle = theme.pooled;
	c.fillRect(0, 0, size, size);
	c.strokeStyle = theme.hatch;
	c.lineWidth = 2;
	for (const at of [-size, 0, size]) {
		c.beginPath();
		c.moveTo(at - 1, size + 1);
		c.lineTo(at + size + 1, -1);
		c.stroke();
	}
	const pattern = context.createPattern(tile, 'repeat');
	pattern?.setTransform(new DOMMatrix().scale(0.5));
	return pattern ?? theme.pooled;
}

const inView = (rows: Rows, y: number): boolean => y + rows.rowPx > 0 && y < rows.heightPx;

function paintFills(s: Surface, boxes: Boxes, rows: Rows, look: Look, firstDepth: number): void {
	const { context } = s;
	const hatch = hatchOf(context, look.theme);
	const h = rows.rowPx - 1;
	let last: string | CanvasPattern = '';
	const use = (fill: string | CanvasPattern): void => {
		if (fill === last) return;
		last = fill;
		context.fillStyle = fill;
	};
	for (let pass = 0; pass < 2; pass++) {
		for (let i = 0; i < boxes.count; i++) {
			const pooled = boxes.more[i] > 0;
			if (pooled !== (pass === 1) || boxes.depth[i] < firstDepth) continue;
			const y = rowTop(rows, boxes.depth[i]);
			if (!inView(rows, y)) continue;
			const node = boxes.node[i];
			const x = boxes.x[i];
			const w = boxes.width[i] > 3 ? boxes.width[i] - 1 : boxes.width[i] * 0.85;
			const parts = pooled ? null : look.parts(node);
			use(pooled ? hatch : look.fill(node));
			if (!parts) {
				context.fillRect(x, y, w, h);
				continue;
			}
			let at = x;
			for (const [share, fill] of parts) {
				use(fill);
				if (share > 0) context.fillRect(at, y, share * w, h);
				at += share * w;
			}
		}
	}
}

function paintLabels(s: Surface, boxes: Boxes, rows: Rows, look: Look, sum: number): void {
	const { context, fitter } = s;
	for (let i = 0; i < boxes.count; i++) {
		const room = boxes.width[i] - 7;
		if (room < 14) continue;
		const y = rowTop(rows, boxes.depth[i]);
		if (!inView(rows, y)) continue;
		const middle = y + (rows.rowPx - 1) / 2 + 0.5;
		const x = boxes.x[i] + 3;
		if (boxes.more[i] > 0) {
			const count = `… ${formatCount(boxes.more[i])} more`;
			const share = sum > 0 ? `, ${formatPercent(boxes.weight[i] / sum)}` : '';
			const text = fitter.width(count + share) <= room ? count + share : count;
			paintPoolLabel(s, text, x, middle, room, look.theme);
			continue;
		}
		const node = boxes.node[i];
		const name = look.label(node);
		const text = fitter.fit(name, room);
		if (text === '') continue;
		const fill = look.parts(node)?.find(([share]) => share > 0.001)?.[1] ?? look.fill(node);
		context.fillStyle = textOn(fill);
		context.fillText(text, x, middle);
		if (text !== name || room < 90) continue;
		const used = fitter.width(name) + 8;
		const place = room - used > 50 ? fitter.fit(look.place(node), room - used) : '';
		if (place === '') continue;
		context.fillStyle = faintOn(fill);
		context.fillText(place, x + used, middle);
	}
}

function paintPoolLabel(
	s: Surface,
	text: string,
	x: number,
	middle: number,
	room: number,
	theme: Theme,
): void {
	const { context, fitter } = s;
	const width = fitter.width(text);
	if (width > room) return;
	context.fillStyle = theme.pooled; // letters do not read on the hatch itself
	context.fillRect(x - 1, middle - 7, width + 2, 14);
	context.fillStyle = theme.text;
	context.fillText(text, x, middle);
}

/** All boxes and labels; `sum` is what the percents of pools are of. */
export function paintBoxes(s: Surface, boxes: Boxes, rows: Rows, look: Look, sum: number): void {
	const firstDepth = rows.hideRoot ? 1 : 0;
	paintFills(s, boxes, rows, look, firstDepth);
	paintLabels(s, boxes, rows, look, sum);
}

/** Outlines the boxes for which `which` gives a colour and a width. */
export function outline(
	s: Surface,
	boxes: Boxes,
	rows: Rows,
	which: (node: number, index: number) => readonly [string, number] | null,
): void {
	const { context } = s;
	for (let i = 0; i < boxes.count; i++) {
		const y = rowTop(rows, boxes.depth[i]);
		if (!inView(rows, y) || (rows.hideRoot && boxes.depth[i] === 0)) continue;
		const line = which(boxes.node[i], i);
		if (!line) continue;
		const [colour, px] = line;
		context.strokeStyle = colour;
		context.lineWidth = px;
		const w = Math.max(1, boxes.width[i] - 1 - px);
		context.strokeRect(boxes.x[i] + px / 2, y + px / 2, w, rows.rowPx - 1 - px);
	}
}
