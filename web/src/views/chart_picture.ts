// SPDX-License-Identifier: MIT
/** The flame chart as SVG, with all rows of its lanes. */
import { NONE } from '../data/capture.js';
import type { SvgBox, SvgText } from '../draw/svg.js';
import { svgOf } from '../draw/svg.js';
import { mixColours } from '../ui/colours.js';
import type { Columns } from './chart_columns.js';
import type { LaidLane } from './chart_lanes.js';
import { HEAD_PX, threadTitle } from './chart_lanes.js';
import { AXIS_PX, laneColumns, type Scene } from './chart_paint.js';
import { callAt, stackAt } from './chart_series.js';
import { callLines } from './chart_words.js';
import { pictureFitter } from './flame_picture.js';
import { clockTime, roundStep, ticks } from './timeline_axis.js';

const TITLE_PX = 26;

/** Boxes of a row: columns that show one call, or a call that stands for short ones, as one. */
function rowBoxes(
	scene: Scene,
	laid: LaidLane,
	columns: Columns,
	depth: number,
	y: number,
): SvgBox[] {
	const { tables, palette, density, rowPx, app } = scene;
	const { lane } = laid;
	const boxes: SvgBox[] = [];
	const at = (c: number): number => stackAt(tables, columns.stack[c], depth);
	for (let c = 0; c < columns.count; ) {
		const stack = at(c);
		const begin = c++;
		if (stack === NONE) continue;
		const sure = columns.sure[begin] >= depth;
		while (c < columns.count && at(c) === stack && columns.sure[c] >= depth === sure) {
			if (sure && columns.on[c - 1] < depth) break;
			c++;
		}
		const func = tables.frameFunc[tables.stackFrame[stack]];
		const place = columns.place[begin];
		const own = palette.sampleFill?.(lane.first + place) ?? palette.fills[func] ?? '#cccccc';
		const call = sure ? callAt(tables, lane, place, depth) : null;
		boxes.push({
			x: begin / density,
			y,
			width: (c - begin) / density,
			height: rowPx,
			fill: sure ? own : mixColours(own, palette.theme.back, 0.5),
			text: sure ? tables.funcName[func] || '?' : '',
			title: call
				? callLines(app, lane, call, lane.first + place).join('\n')
				: 'several short calls',
		});
	}
	return boxes;
}

/** An SVG of the lanes in the scene's window of time. */
export function chartPicture(scene: Scene, laid: readonly LaidLane[]): string {
	const { window, width, app, palette, rowPx } = scene;
	const title = `${app.capture.title}: flame chart`;
	const texts: SvgText[] = [{ x: 4, y: TITLE_PX / 2, text: title, strong: true }];
	const boxes: SvgBox[] = [];
	const length = window.to - window.from;
	const step = roundStep((length / width) * 90);
	for (const at of ticks(window.from, window.to, step)) {
		const x = ((at - window.from) / length) * width;
		texts.push({ x, y: TITLE_PX + AXIS_PX / 2, text: clockTime(at, step, window.to) });
	}
	const top = TITLE_PX + AXIS_PX;
	for (const lane of laid) {
		const columns = laneColumns(scene, lane);
		const name = threadTitle(app, lane.lane.thread);
		texts.push({ x: 4, y: top + lane.top + HEAD_PX / 2, text: name });
		for (let d = 1; d <= lane.lane.depth; d++) {
			boxes.push(...rowBoxes(scene, lane, columns, d, top + lane.rows + (d - 1) * rowPx));
		}
	}
	const height = top + (laid.at(-1)?.end ?? 0) + 4;
	return svgOf({ title, width, height, boxes, texts }, palette.theme, pictureFitter());
}
