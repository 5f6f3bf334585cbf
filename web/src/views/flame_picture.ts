// SPDX-License-Identifier: MIT
/** A call tree as boxes of an SVG: the same as on the canvas, with all its rows. */
import type { App } from '../app/app.js';
import type { Shape, Span } from '../draw/layout.js';
import { emptyBoxes, LEAST_PX, layOut } from '../draw/layout.js';
import type { SvgBox } from '../draw/svg.js';
import { FONT } from '../draw/svg.js';
import type { Fitter } from '../draw/text.js';
import { makeFitter } from '../draw/text.js';
import { formatCount, formatPercent } from '../ui/format.js';
import type { Look } from './flame_look.js';
import { poolLines, tipLines } from './flame_look.js';

export const PICTURE_ROW = 18;

/** Widths of the font that pictures are drawn with. */
export function pictureFitter(): Fitter {
	const context = document.createElement('canvas').getContext('2d');
	if (context) context.font = `12px ${FONT}`;
	return makeFitter((text) => context?.measureText(text).width ?? 7);
}

export interface Part {
	readonly shape: Shape;
	readonly window: Span;
	readonly look: Look;
	readonly rootAtTop: boolean;
	readonly hideRoot: boolean;
}

/** Boxes of what a part shows, `width` wide, from y on; and how high it is. */
export function pictureBoxes(
	app: App,
	part: Part,
	width: number,
	top: number,
): { boxes: SvgBox[]; height: number } {
	const laid = emptyBoxes();
	layOut(part.shape, part.window, width, LEAST_PX, laid);
	const skip = part.hideRoot ? 1 : 0;
	let rows = 1;
	for (let i = 0; i < laid.count; i++) rows = Math.max(rows, laid.depth[i] + 1 - skip);
	const boxes: SvgBox[] = [];
	const sum = part.shape.value[0] || 1;
	for (let i = 0; i < laid.count; i++) {
		const row = laid.depth[i] - skip;
		if (row < 0) continue;
		const node = laid.node[i];
		const more = laid.more[i];
		const parts = more ? null : part.look.parts(node);
		const label = `… ${formatCount(more)} more, ${formatPercent(laid.weight[i] / sum)}`;
		const lines = more
			? poolLines(app, more, laid.weight[i]).slice(0, 2)
			: tipLines(app, part.shape, node, 0);
		boxes.push({
			x: laid.x[i],
			y: top + (part.rootAtTop ? row : rows - 1 - row) * PICTURE_ROW,
			width: laid.width[i],
			height: PICTURE_ROW,
			fill: more ? 'hatch' : part.look.fill(node),
			...(parts ? { parts } : {}),
			text: more ? label : part.look.label(node),
			title: lines.join('\n'),
		});
	}
	return { boxes, height: rows * PICTURE_ROW };
}
