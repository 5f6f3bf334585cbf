// SPDX-License-Identifier: MIT
/** What is said about a call of the flame chart. */
import type { App } from '../app/app.js';
import { visible } from '../draw/text.js';
import { formatCount, formatTime } from '../ui/format.js';
import { titleOf } from '../ui/search.js';
import { threadTitle } from './chart_lanes.js';
import type { Call, Lane } from './chart_series.js';
import { moduleOf } from './flame_look.js';
import { momentText } from './timeline_axis.js';
import { KIND_NAMES, kindOf } from './timeline_series.js';

function times(app: App, lane: Lane, call: Call): string {
	const from = lane.timeNs[call.from];
	const length = lane.endNs[call.to - 1] - from;
	const count = call.to - call.from;
	const samples = count === 1 ? '1 sample' : `${formatCount(count)} samples`;
	const moment = momentText(from, length, app.capture.durationNs);
	return `about ${formatTime(length)} from ${moment}, ${samples}`;
}

/** Lines of a tip: the function, when and how long, whose, and what its thread does at the sample. */
export function callLines(app: App, lane: Lane, call: Call, sample: number): string[] {
	const { tables } = app.shown();
	const func = tables.frameFunc[tables.stackFrame[call.stack]];
	const { samples } = app.capture;
	const file = tables.funcFile[func];
	const line = tables.frameLine[tables.stackFrame[call.stack]] || tables.funcLine[func];
	const place = file && file !== tables.funcName[func] ? `${file}${line ? `:${line}` : ''}` : '';
	return [
		visible((tables.funcName[func] || '?').slice(0, 1000)),
		[visible(place), moduleOf(tables, func)].filter((t) => t !== '').join(' · '),
		times(app, lane, call),
		`${visible(threadTitle(app, lane.thread))}, ${KIND_NAMES[kindOf(samples.state[sample], samples.flags[sample])]}`,
	].filter((text) => text !== '');
}

/** One sentence for the line below the chart and for screen readers. */
export function sayCall(app: App, lane: Lane, call: Call): string {
	const { tables } = app.shown();
	const func = tables.frameFunc[tables.stackFrame[call.stack]];
	const depth = tables.stackDepth[call.stack];
	const title = visible(titleOf(tables, func).slice(0, 300));
	return `${title}: ${times(app, lane, call)}, depth ${depth}`;
}
