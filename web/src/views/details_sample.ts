// SPDX-License-Identifier: MIT
/** Details of a sample: when, what it was doing, and its stack with source. */
import type { App } from '../app/app.js';
import { captureFunc, shownFunc } from '../app/transforms.js';
import { Flag, NONE } from '../data/capture.js';
import { visible } from '../draw/text.js';
import { button, make } from '../ui/dom.js';
import { formatCount, formatOf, formatPercent, formatTime } from '../ui/format.js';
import type { StackFrame } from './details_model.js';
import {
	clockText,
	sampleNotes,
	samplesWithStack,
	stackFrames,
	stateWords,
	tracebackText,
} from './details_model.js';
import { facts, listenFrame, threadTitle } from './details_parts.js';
import { momentText } from './timeline_axis.js';

const AT_ONCE = 60; // frames; more are shown when asked for
const STEP = 500;

function shownStack(app: App, frame: StackFrame): number {
	const { tables, stackOf } = app.shown();
	const stack = stackOf[frame.stack] ?? NONE;
	if (stack === NONE) return NONE;
	const func = tables.frameFunc[tables.stackFrame[stack]];
	return captureFunc(app.capture, tables, func) === frame.func ? stack : NONE;
}

function frameItem(app: App, frame: StackFrame): HTMLElement {
	const item = button('frame', '', '', () => {
		app.set({ func: frame.func, line: frame.line }, 'step');
	});
	const place = frame.line > 0 ? `${frame.short}:${frame.line}` : frame.short;
	item.dataset['func'] = String(frame.func);
	item.append(
		make('span', 'frame-name', visible((frame.name || '?').slice(0, 300))),
		make('span', 'frame-place', visible(place.slice(0, 300))),
	);
	if (frame.source) item.append(make('code', 'frame-source', visible(frame.source.slice(0, 300))));
	item.title = visible(frame.path === '' ? frame.name : `${frame.path}:${frame.line}`);
	item.addEventListener('dblclick', () =>
		app.set({ view: 'source', func: frame.func, line: frame.line }, 'step'),
	);
	listenFrame(
		app,
		item,
		() => frame.func,
		() => shownStack(app, frame),
	);
	return make('li', '', item);
}

/** The frames, innermost first; the first ones at once. */
function stackList(app: App, frames: readonly StackFrame[]): HTMLElement {
	const list = make('ol', 'frames');
	let next = 0;
	const more = button('', '', '', () => add(STEP));
	const add = (count: number): void => {
		const part = frames.slice(next, next + count).map((frame) => frameItem(app, frame));
		list.append(...part);
		next += part.length;
		more.hidden = next >= frames.length;
		more.textContent = `\u2026 ${formatCount(frames.length - next)} more`;
	};
	add(frames.length <= AT_ONCE + 5 ? frames.length : AT_ONCE);
	return make('div', '', list, more);
}

function sampleFacts(app: App, row: number): (readonly [string, string])[] {
	const { capture } = app;
	const { samples, threads, processes, timed, durationNs } = capture;
	const thread = threads[samples.thread[row]];
	const process = processes[thread.process];
	const time = samples.timeNs[row];
	const cpu = samples.cpuNs[row];
	const weight = samples.weight?.[row] ?? 1;
	const processName = process ? visible(process.name.slice(0, 200)) : '';
	const id = process?.pid ? ` (${process.pid})` : '';
	return [
		['time', timed ? momentText(time, durationNs / 1e3, durationNs) : ''],
		['clock', timed ? clockText(capture, time) : ''],
		['thread', threadTitle(app, thread.row)],
		['process', processName || id ? `${processName}${id}`.trim() : ''],
		['state', stateWords(capture, row)],
		['CPU', cpu > 0 ? `${formatTime(cpu)} since the sample before` : ''],
		['stands for', weight === 1 ? '' : formatOf(weight, capture.unit)],
	];
}

/** "same stack as 12 other samples (0.4 %)". */
function sameText(app: App, row: number): string {
	const { samples } = app.capture;
	const others = samplesWithStack(app.capture, samples.stack[row]) - 1;
	if (others === 0) return 'No other sample has this stack.';
	const share = formatPercent((others + 1) / samples.count);
	return `Same stack as ${formatCount(others)} other ${others === 1 ? 'sample' : 'samples'} (${share} of all).`;
}

/** The sample of the same thread before or after one; NONE if there is none. */
export function neighbour(app: App, row: number, by: 1 | -1): number {
	const { samples, threads } = app.capture;
	if (row === NONE) return NONE;
	const { first, count } = threads[samples.thread[row]];
	const next = row + by;
	return next >= first && next < first + count ? next : NONE;
}

/** Elements about a sample of the capture. */
export function sampleDetails(app: App, row: number): HTMLElement[] {
	const { capture } = app;
	const { samples } = capture;
	const frames = stackFrames(capture, samples.stack[row]);
	const step = (label: string, title: string, by: 1 | -1): HTMLButtonElement => {
		const to = neighbour(app, row, by);
		const made = button('', label, title, () => app.set({ sample: to }, 'move'));
		made.disabled = to === NONE;
		return made;
	};
	const copy = button('', 'Copy stack', 'As a Python traceback', () =>
		app.copy(tracebackText(frames), 'stack'),
	);
	const doubt = (samples.flags[row] & (Flag.Cut | Flag.Unreadable)) !== 0;
	const notes = sampleNotes(capture, row).map((note) =>
		make('p', doubt ? 'details-note doubt' : 'details-note', note),
	);
	return [
		make(
			'div',
			'details-tools',
			step('\u2190', 'Sample of the thread before (Left)', -1),
			step('\u2192', 'Next sample of the thread (Right)', 1),
			copy,
		),
		facts(sampleFacts(app, row)),
		...notes,
		make('p', 'dim', sameText(app, row)),
		make('h3', '', 'Stack, innermost first'),
		stackList(app, frames),
	];
}

/** Marks the frames of the function that is under the pointer, and of the chosen one. */
export function lightFrames(app: App, root: HTMLElement): void {
	const { capture, hover, state } = app;
	const { tables } = app.shown();
	const lit = hover.func === NONE ? NONE : captureFunc(capture, tables, hover.func);
	for (const item of root.querySelectorAll<HTMLElement>('.frame')) {
		const func = Number(item.dataset['func']);
		const same = lit !== NONE && (func === lit || shownFunc(capture, tables, func) === hover.func);
		item.classList.toggle('lit', same);
		item.classList.toggle('chosen', func === state.func);
	}
}
