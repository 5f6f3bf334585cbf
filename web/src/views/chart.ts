// SPDX-License-Identifier: MIT
/**
 * The flame chart: the calls of a thread, or of all, in the order of time. Consecutive samples with
 * the same frame at the same depth are one box. Shares its window of time with the timeline.
 */
import type { App, Change, View } from '../app/app.js';
import type { Colouring, Range } from '../app/state.js';
import { frameMenu, goTo, runMenuKey } from '../app/transforms.js';
import { NONE } from '../data/capture.js';
import { rangeOf } from '../model/samples.js';
import { currentTheme } from '../ui/colours.js';
import { chartHelp, chartLabel } from './chart_help.js';
import { listenToTime } from './chart_input.js';
import type { LaidLane, Lanes } from './chart_lanes.js';
import {
	ALL_LANES,
	chosenLanes,
	layLanes,
	makeLanes,
	shownThreads,
	threadTitle,
} from './chart_lanes.js';
import type { Scene } from './chart_paint.js';
import {
	AXIS_PX,
	fadedLegend,
	makePalette,
	makeRaster,
	paintAxis,
	paintLane,
	stateLegend,
} from './chart_paint.js';
import { chartPicture } from './chart_picture.js';
import type { Call, Lane } from './chart_series.js';
import { callAt, placeFrom, placeOver, stackAt } from './chart_series.js';
import { callLines, sayCall } from './chart_words.js';
import { makeSurface, type Surface } from './flame_paint.js';
import { add, addSelect, concernsTrees, fillLegend, type Select } from './flame_tools.js';
import { clampWindow, panWindow, reveal, zoomWindow } from './timeline_window.js';

/** A frame of a sample: where the pointer or the focus is. */
export interface Spot {
	readonly laid: LaidLane;
	readonly place: number;
	readonly depth: number;
}

interface Parts {
	readonly scroller: HTMLElement;
	readonly content: HTMLElement;
	readonly holder: HTMLElement;
	readonly main: Surface;
	readonly over: Surface;
	readonly status: HTMLElement;
	readonly note: HTMLElement;
	readonly threads: Select;
	readonly colouring: Select;
	readonly legend: HTMLElement;
}

function makeParts(root: HTMLElement, app: App): Parts {
	root.classList.add('chart');
	const bar = add(root, 'div', 'flame-tools');
	const threads = addSelect(bar, 'Thread', (value) => app.set({ lane: Number(value) }, 'step'));
	const colouring = addSelect(bar, 'Colour', (value) => {
		app.set({ colouring: value as Colouring }, 'step');
	});
	const legend = add(bar, 'ul', 'flame-legend');
	legend.setAttribute('aria-label', 'Colours');
	const graph = add(root, 'div', 'flame-graph');
	const scroller = add(graph, 'div', 'flame-scroll');
	scroller.tabIndex = 0;
	scroller.setAttribute('role', 'application');
	scroller.setAttribute('aria-label', chartLabel);
	const content = add(scroller, 'div', 'flame-content');
	const holder = add(content, 'div', 'flame-holder');
	const surface = (): Surface => {
		const canvas = add(holder, 'canvas');
		canvas.setAttribute('aria-hidden', 'true');
		return makeSurface(canvas);
	};
	const main = surface();
	const over = surface();
	const note = add(graph, 'p', 'sandwich-none');
	note.hidden = true;
	const status = add(graph, 'p', 'flame-status');
	status.setAttribute('aria-live', 'polite');
	return { scroller, content, holder, main, over, status, note, threads, colouring, legend };
}

const rowHeight = (): number => (matchMedia('(pointer: coarse)').matches ? 24 : 18);

/** The chart once it is mounted. */
function startChart(root: HTMLElement, app: App) {
	const parts = makeParts(root, app);
	const lanes: Lanes = makeLanes(app);
	const raster = makeRaster();
	const overRaster = makeRaster();
	let laid: LaidLane[] = [];
	let palette = makePalette(app, currentTheme());
	let width = 0;
	let height = 0;
	let scroll = 0;
	let rowPx = rowHeight();
	let pointed: Spot | null = null;
	let focus: Spot | null = null;
	let frame = 0;

	const window_ = (): Range => {
		const { tracks } = app.state;
		return clampWindow(tracks.window ?? rangeOf(app.capture, app.state), app.capture.durationNs);
	};
	const setWindow = (window: Range): void => {
		app.set({ tracks: { ...app.state.tracks, window } }, 'move');
	};
	const timeAt = (x: number): number => {
		const { from, to } = window_();
		return from + (x / width) * (to - from);
	};
	const xOf = (ns: number): number => {
		const { from, to } = window_();
		return ((ns - from) / (to - from)) * width;
	};
	const sceneOf = (w: number, density: number, heightPx: number): Scene => ({
		app,
		tables: app.shown().tables,
		palette,
		window: window_(),
		width: w,
		density,
		rowPx,
		heightPx,
		labels: true,
	});

	const measure = (): void => {
		rowPx = rowHeight();
		const contentPx = AXIS_PX + (laid.at(-1)?.end ?? 0);
		parts.content.style.height = `${contentPx}px`;
		width = parts.scroller.clientWidth;
		height = Math.min(contentPx, parts.scroller.clientHeight);
		parts.holder.style.height = `${height}px`;
		scroll = Math.min(parts.scroller.scrollTop, contentPx - height);
	};

	/** Top of a lane on the canvas. */
	const yOf = (lane: LaidLane): number => AXIS_PX + lane.top - scroll;

	const outline = (spot: Spot, colour: string, px: number): void => {
		const call = callOf(spot);
		if (!call) return;
		const [x0, x1] = spanOf(spot, call);
		const { context } = parts.over;
		context.strokeStyle = colour;
		context.lineWidth = px;
		const y = AXIS_PX + spot.laid.rows - scroll + (spot.depth - 1) * rowPx;
		const left = Math.max(-px, x0);
		const w = Math.max(1, Math.min(width + px, x1) - left - 1);
		context.strokeRect(left + px / 2, y + px / 2, Math.max(1, w - px), rowPx - 1 - px);
	};

	const callOf = (spot: Spot): Call | null =>
		callAt(app.shown().tables, spot.laid.lane, spot.place, spot.depth);

	const spanOf = (spot: Spot, call: Call): [number, number] => {
		const { lane } = spot.laid;
		return [xOf(lane.timeNs[call.from]), xOf(lane.endNs[call.to - 1])];
	};

	/** All boxes of a function, lightly. */
	const drawFunction = (func: number): void => {
		const scene = sceneOf(width, 0.5, height);
		const inks = new Uint32Array(scene.tables.funcCount);
		inks[func] = palette.theme.dark ? 0x48ffffff : 0x30000000;
		const flat = { ...palette, full: inks, faded: inks, sampleFill: null };
		for (const lane of laid) {
			const y = yOf(lane);
			if (y > height || y + lane.end - lane.top < 0) continue;
			paintLane(parts.over, overRaster, { ...scene, palette: flat, labels: false }, lane, y);
		}
	};

	const drawOver = (): void => {
		parts.over.begin(width, height);
		const { hover, state } = app;
		const { context } = parts.over;
		if (hover.func !== NONE && !pointed) drawFunction(hover.func);
		for (const [sample, colour, px] of [
			[state.sample, palette.theme.accent, 1.5],
			[pointed ? NONE : hover.sample, palette.theme.text, 1],
		] as const) {
			if (sample < 0 || sample >= app.capture.samples.count) continue;
			const x = xOf(app.capture.samples.timeNs[sample]);
			if (x < 0 || x > width) continue;
			context.fillStyle = colour;
			context.fillRect(x, AXIS_PX - 6, px, height);
		}
		if (focus) outline(focus, palette.theme.accent, 3);
		if (pointed) outline(pointed, palette.theme.text, 2);
	};

	const draw = (): void => {
		measure();
		if (width <= 0) return;
		parts.main.begin(width, height);
		const density = Math.min(devicePixelRatio || 1, 2400 / Math.max(1, width), 2);
		const scene = sceneOf(width, Math.max(density, 0.5), height);
		for (const lane of laid) {
			const y = yOf(lane);
			if (y <= height && y + lane.end - lane.top >= 0)
				paintLane(parts.main, raster, scene, lane, y);
		}
		paintAxis(parts.main, palette.theme, scene.window, width);
		drawOver();
	};
	const later = (): void => {
		if (frame) return;
		frame = requestAnimationFrame(() => {
			frame = 0;
			draw();
		});
	};

	const spotAt = (x: number, y: number): Spot | null => {
		const at = y - AXIS_PX + scroll;
		const lane = laid.find((l) => at >= l.rows && at < l.end);
		if (!lane || y < AXIS_PX) return null;
		const depth = Math.floor((at - lane.rows) / rowPx) + 1;
		const half = (window_().to - window_().from) / width / 2;
		let place = placeOver(lane.lane, timeAt(x) + half);
		if (place === NONE) {
			// a sample may be narrower than the pixel
			const near = placeFrom(lane.lane, timeAt(x));
			if (near < lane.lane.count && lane.lane.timeNs[near] < timeAt(x + 1)) place = near;
		}
		if (place === NONE) return null;
		const stack = stackAt(app.shown().tables, lane.lane.joined[0][place], depth);
		return stack === NONE ? null : { laid: lane, place, depth };
	};

	const stackOf = (spot: Spot): number =>
		stackAt(app.shown().tables, spot.laid.lane.joined[0][spot.place], spot.depth);
	const funcOf = (spot: Spot): number => {
		const { tables } = app.shown();
		return tables.frameFunc[tables.stackFrame[stackOf(spot)]];
	};

	const setFocus = (spot: Spot | null, select: boolean): void => {
		focus = spot;
		if (!spot) {
			parts.status.textContent = '';
			later();
			return;
		}
		const call = callOf(spot);
		parts.status.textContent = call ? sayCall(app, spot.laid.lane, call) : '';
		const y = AXIS_PX + spot.laid.rows - scroll + (spot.depth - 1) * rowPx;
		if (y < AXIS_PX) parts.scroller.scrollTop += y - AXIS_PX - rowPx;
		else if (y + rowPx > height) parts.scroller.scrollTop += y + 2 * rowPx - height;
		const { lane } = spot.laid;
		const [from, to] = call ? [lane.timeNs[call.from], lane.endNs[call.to - 1]] : [0, 0];
		const window = window_();
		if (call && (to <= window.from || from >= window.to)) {
			setWindow(reveal(window, from, to, app.capture.durationNs));
		}
		if (select) app.set({ sample: lane.first + spot.place }, 'move');
		later();
	};

	const menuOf = (spot: Spot) => {
		const items = frameMenu(app, app.shown().tables, funcOf(spot), stackOf(spot));
		const zoom = { label: 'Zoom to this call', key: 'Enter', run: () => zoomTo(spot) };
		return [...items.slice(0, 1), zoom, ...items.slice(1)];
	};

	const zoomTo = (spot: Spot): void => {
		const call = callOf(spot);
		if (!call) return;
		const { lane } = spot.laid;
		const [from, to] = [lane.timeNs[call.from], lane.endNs[call.to - 1]];
		const margin = (to - from) * 0.03;
		setWindow(clampWindow({ from: from - margin, to: to + margin }, app.capture.durationNs));
	};

	const point = (spot: Spot | null, clientX: number, clientY: number): void => {
		const had = pointed;
		pointed = spot;
		parts.holder.style.cursor = spot ? 'pointer' : 'default';
		const call = spot ? callOf(spot) : null;
		if (spot && call) {
			const sample = spot.laid.lane.first + spot.place;
			app.showTip(clientX, clientY, callLines(app, spot.laid.lane, call, sample));
			app.setHover({ sample, func: funcOf(spot), stack: stackOf(spot) });
		} else if (had) {
			app.showTip(0, 0, null);
			app.setHover(null);
		}
		drawOver();
	};

	listenToTime(parts.holder, parts.scroller, {
		window: window_,
		width: () => width,
		durationNs: app.capture.durationNs,
		setWindow,
		hover: (x, y, clientX, clientY) => point(spotAt(x, y), clientX, clientY),
		leave: () => point(null, 0, 0),
		click: (x, y) => setFocus(spotAt(x, y), true),
		doubleClick() {
			if (!focus) return;
			const { tables } = app.shown();
			const line = tables.frameLine[tables.stackFrame[stackOf(focus)]];
			goTo(app, tables, funcOf(focus), 'source', line);
		},
		menu(x, y, clientX, clientY) {
			const spot = spotAt(x, y);
			if (!spot) return;
			setFocus(spot, false);
			app.showTip(0, 0, null);
			app.showMenu(clientX, clientY, menuOf(spot));
		},
	});
	parts.scroller.addEventListener('scroll', later, { passive: true });
	new ResizeObserver(later).observe(parts.scroller);

	/** The frame to begin with: the root of the first sample in the window. */
	const firstSpot = (): Spot | null => {
		const lane = laid[0];
		if (!lane) return null;
		const { from, to } = window_();
		for (let p = placeFrom(lane.lane, from); p < lane.lane.count; p++) {
			if (lane.lane.timeNs[p] >= to) break;
			if (lane.lane.joined[0][p] !== NONE) return { laid: lane, place: p, depth: 1 };
		}
		return null;
	};

	const beside = (spot: Spot, by: number): Spot | null => {
		const call = callOf(spot);
		const { lane } = spot.laid;
		const { tables } = app.shown();
		let p = call ? (by > 0 ? call.to : call.from - 1) : spot.place + by;
		for (let steps = 0; p >= 0 && p < lane.count && steps < 100_000; p += by, steps++) {
			const depth = Math.min(spot.depth, Math.max(0, depthOf(lane, p)));
			if (depth > 0 && stackAt(tables, lane.joined[0][p], depth) !== NONE) {
				return { laid: spot.laid, place: p, depth };
			}
		}
		return null;
	};
	const depthOf = (lane: Lane, place: number): number => {
		const stack = lane.joined[0][place];
		return stack === NONE ? 0 : app.shown().tables.stackDepth[stack];
	};

	const move = (key: string): boolean => {
		const from = focus;
		let next: Spot | null = null;
		if (!from || key === 'Home') next = firstSpot();
		else if (key === 'ArrowUp') next = from.depth > 1 ? { ...from, depth: from.depth - 1 } : null;
		else if (key === 'ArrowDown') {
			const deeper = from.depth < depthOf(from.laid.lane, from.place);
			next = deeper ? { ...from, depth: from.depth + 1 } : null;
		} else next = beside(from, key === 'ArrowRight' ? 1 : -1);
		if (next) setFocus(next, true);
		return next !== null;
	};

	const key = (event: KeyboardEvent): boolean => {
		const window = window_();
		const middle = (window.from + window.to) / 2;
		const { durationNs } = app.capture;
		if (event.key.startsWith('Arrow') || event.key === 'Home') return move(event.key);
		if (event.key === '+' || event.key === '-') {
			setWindow(zoomWindow(window, middle, event.key === '+' ? 1.6 : 1 / 1.6, durationNs));
			return true;
		}
		if (event.key === 'PageUp' || event.key === 'PageDown') {
			const by = (window.to - window.from) * (event.key === 'PageDown' ? 0.8 : -0.8);
			setWindow(panWindow(window, by, durationNs));
			return true;
		}
		if (event.key === 'Escape' || event.key === 'Backspace') {
			if (!app.state.tracks.window) return false;
			app.set({ tracks: { ...app.state.tracks, window: null } }, 'move');
			return true;
		}
		if (!focus) return false;
		if (event.key === 'ContextMenu' || (event.key === 'F10' && event.shiftKey)) {
			const box = parts.holder.getBoundingClientRect();
			const call = callOf(focus);
			const x = call ? Math.max(0, spanOf(focus, call)[0]) : 0;
			const y = AXIS_PX + focus.laid.rows - scroll + focus.depth * rowPx;
			app.showMenu(box.left + x + 8, box.top + y, menuOf(focus));
			return true;
		}
		if (event.ctrlKey || event.metaKey || event.altKey) return false;
		if (event.key === 'Enter') {
			zoomTo(focus);
			return true;
		}
		return runMenuKey(menuOf(focus), event);
	};

	const updateTools = (): void => {
		const threads = shownThreads(app);
		const single = laid[0]?.lane.thread;
		const busiest = app.state.lane === NONE && single !== undefined;
		const named: [string, string][] = [
			['-1', busiest ? `busiest: ${threadTitle(app, single)}` : 'the busiest'],
			...(threads.length > 1 ? [[String(ALL_LANES), 'all'] as [string, string]] : []),
			...threads.map((t): [string, string] => [String(t), threadTitle(app, t)]),
		];
		parts.threads.fill(named, String(app.state.lane));
		const how = app.state.colouring === 'diff' ? 'module' : app.state.colouring;
		parts.colouring.fill(
			[
				['module', 'module'],
				['file', 'file'],
				['state', 'state'],
			],
			how,
		);
		const { theme } = palette;
		if (how === 'state') fillLegend(parts.legend, theme, how, stateLegend(theme), true);
		else fillLegend(parts.legend, theme, how, [fadedLegend(theme)]);
	};

	const update = (changed: ReadonlySet<Change>): void => {
		if (!concernsTrees(changed) && !changed.has('lane') && !changed.has('ranges')) {
			if (changed.has('tracks')) {
				follow();
				draw();
			} else if (width > 0) drawOver();
			return;
		}
		follow();
		palette = makePalette(app, currentTheme());
		updateTools();
		draw();
	};
	/** What a change of time or of the threads alters. */
	const follow = (): void => {
		const timeless = app.capture.periodNs <= 0;
		const next = timeless ? [] : layLanes(chosenLanes(app, lanes), rowPx);
		const same = next.length === laid.length && next.every((l, i) => l.lane === laid[i]?.lane);
		if (!same) {
			focus = null;
			parts.status.textContent = '';
		}
		pointed = null;
		laid = next;
		parts.note.hidden = laid.length > 0;
		parts.scroller.hidden = laid.length === 0;
		parts.note.textContent = timeless
			? 'This capture is counts without times: there is no order to show.'
			: 'No thread with samples is shown.';
		if (!same) updateTools();
	};
	const svg = (): string => chartPicture(sceneOf(Math.max(width, 300), 0.5, Infinity), laid);
	return { update, key, svg };
}

export function makeChart(): View {
	let chart: ReturnType<typeof startChart> | null = null;
	return {
		mount(root, app) {
			chart = startChart(root, app);
			chart.update(new Set<Change>(['shown', 'size']));
		},
		update: (changed) => chart?.update(changed),
		key: (event) => chart?.key(event) ?? false,
		help: chartHelp,
		svg: () => chart?.svg() ?? '',
	};
}
