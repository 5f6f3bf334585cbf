// SPDX-License-Identifier: MIT
/** Focus, menu and keys of the flame chart. */
import type { MenuItem } from '../app/app.js';
import { frameMenu, goTo, runMenuKey } from '../app/transforms.js';
import { NONE } from '../data/capture.js';
import { AXIS_PX } from './chart_paint.js';
import { placeFrom, stackAt } from './chart_series.js';
import type { Chart, Spot } from './chart_state.js';
import {
	callOf,
	drawLater,
	funcOf,
	rowTop,
	setWindow,
	spanOf,
	stackOf,
	windowOf,
} from './chart_state.js';
import { sayCall } from './chart_words.js';
import { revealRow } from './flame_parts.js';
import { clampWindow, panWindow, reveal, zoomWindow } from './timeline_window.js';

const MOST_STEPS = 100_000; // over samples without a frame

/** Focuses a call and makes it visible; selects its sample if asked to. */
export function setFocus(c: Chart, spot: Spot | null, select: boolean): void {
	c.focus = spot;
	const call = spot ? callOf(c, spot) : null;
	c.parts.status.textContent = spot && call ? sayCall(c.app, spot.laid.lane, call) : '';
	drawLater(c);
	if (!spot || !call) return;
	revealRow(c.parts, rowTop(c, spot), c.rowPx, AXIS_PX, c.height);
	const { lane } = spot.laid;
	const [from, to] = [lane.timeNs[call.from], lane.endNs[call.to - 1]];
	const window = windowOf(c);
	if (to <= window.from || from >= window.to) {
		setWindow(c, reveal(window, from, to, c.app.capture.durationNs));
	}
	if (select) c.app.set({ sample: lane.first + spot.place }, 'move');
}

export function zoomTo(c: Chart, spot: Spot): void {
	const call = callOf(c, spot);
	if (!call) return;
	const { lane } = spot.laid;
	const [from, to] = [lane.timeNs[call.from], lane.endNs[call.to - 1]];
	const margin = (to - from) * 0.03;
	const { durationNs } = c.app.capture;
	setWindow(c, clampWindow({ from: from - margin, to: to + margin }, durationNs));
}

export function menuOf(c: Chart, spot: Spot): MenuItem[] {
	const items = frameMenu(c.app, c.app.shown().tables, funcOf(c, spot), stackOf(c, spot));
	const zoom = { label: 'Zoom to this call', key: 'Enter', run: () => zoomTo(c, spot) };
	return [...items.slice(0, 1), zoom, ...items.slice(1)];
}

export function showSource(c: Chart, spot: Spot): void {
	const { tables } = c.app.shown();
	const line = tables.frameLine[tables.stackFrame[stackOf(c, spot)]];
	goTo(c.app, tables, funcOf(c, spot), 'source', line);
}

/** The root of the first sample in the window. */
function firstSpot(c: Chart): Spot | null {
	const laid = c.laid[0];
	if (!laid) return null;
	const { lane } = laid;
	const { from, to } = windowOf(c);
	for (let p = placeFrom(lane, from); p < lane.count && lane.timeNs[p] < to; p++) {
		if (lane.joined[0][p] !== NONE) return { laid, place: p, depth: 1 };
	}
	return null;
}

function depthOf(c: Chart, spot: Spot, place: number): number {
	const stack = spot.laid.lane.joined[0][place];
	return stack === NONE ? 0 : c.app.shown().tables.stackDepth[stack];
}

/** The call before or after one, at its depth, or less deep if there is none. */
function beside(c: Chart, spot: Spot, by: 1 | -1): Spot | null {
	const call = callOf(c, spot);
	if (!call) return null;
	const { lane } = spot.laid;
	const { tables } = c.app.shown();
	let place = by > 0 ? call.to : call.from - 1;
	for (let n = 0; place >= 0 && place < lane.count && n < MOST_STEPS; place += by, n++) {
		const depth = Math.min(spot.depth, depthOf(c, spot, place));
		if (depth > 0 && stackAt(tables, lane.joined[0][place], depth) !== NONE) {
			return { laid: spot.laid, place, depth };
		}
	}
	return null;
}

function next(c: Chart, key: string): Spot | null {
	const from = c.focus;
	if (!from || key === 'Home') return firstSpot(c);
	if (key === 'ArrowUp') return from.depth > 1 ? { ...from, depth: from.depth - 1 } : null;
	if (key === 'ArrowDown') {
		const deeper = from.depth < depthOf(c, from, from.place);
		return deeper ? { ...from, depth: from.depth + 1 } : null;
	}
	return beside(c, from, key === 'ArrowRight' ? 1 : -1);
}

/** Plus, minus and pages; true if it was one of these. */
function moveWindow(c: Chart, key: string): boolean {
	const window = windowOf(c);
	const { durationNs } = c.app.capture;
	const length = window.to - window.from;
	if (key === '+' || key === '-') {
		const factor = key === '+' ? 1.6 : 1 / 1.6;
		setWindow(c, zoomWindow(window, window.from + length / 2, factor, durationNs));
	} else if (key === 'PageUp' || key === 'PageDown') {
		setWindow(c, panWindow(window, length * (key === 'PageDown' ? 0.8 : -0.8), durationNs));
	} else return false;
	return true;
}

function openMenu(c: Chart, spot: Spot): void {
	const box = c.parts.holder.getBoundingClientRect();
	const call = callOf(c, spot);
	const x = call ? Math.max(0, spanOf(c, spot, call)[0]) : 0;
	c.app.showMenu(box.left + x + 8, box.top + rowTop(c, spot) + c.rowPx, menuOf(c, spot));
}

export function chartKey(c: Chart, event: KeyboardEvent): boolean {
	if (event.ctrlKey || event.metaKey || event.altKey) return false;
	if (event.key.startsWith('Arrow') || event.key === 'Home') {
		const to = next(c, event.key);
		if (to) setFocus(c, to, true);
		return to !== null;
	}
	if (moveWindow(c, event.key)) return true;
	if (event.key === 'Escape' || event.key === 'Backspace') {
		if (!c.app.state.tracks.window) return false;
		setWindow(c, null);
		return true;
	}
	if (!c.focus) return false;
	if (event.key === 'Enter') zoomTo(c, c.focus);
	else if (event.key === 'ContextMenu' || (event.key === 'F10' && event.shiftKey)) {
		openMenu(c, c.focus);
	} else return runMenuKey(menuOf(c, c.focus), event);
	return true;
}
