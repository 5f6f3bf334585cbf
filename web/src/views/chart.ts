// SPDX-License-Identifier: MIT
/**
 * The flame chart: the calls of a thread, or of all, in the order of time. Consecutive samples with
 * the same frame at the same depth are one box. Shares its window of time with the timeline.
 */
import type { App, Change, View } from '../app/app.js';
import type { Colouring } from '../app/state.js';
import { NONE } from '../data/capture.js';
import { currentTheme } from '../ui/colours.js';
import { chartHelp, chartLabel } from './chart_help.js';
import { listenToTime } from './chart_input.js';
import { chartKey, menuOf, setFocus, showSource } from './chart_keys.js';
import { ALL_LANES, shownThreads, threadTitle } from './chart_lanes.js';
import { fadedLegend, makePalette, stateLegend } from './chart_paint.js';
import { chartPicture } from './chart_picture.js';
import type { Chart, Spot } from './chart_state.js';
import {
	callOf,
	draw,
	drawLater,
	drawOver,
	funcOf,
	layOutLanes,
	makeChartState,
	sceneOf,
	setWindow,
	spotAt,
	stackOf,
	windowOf,
} from './chart_state.js';
import { callLines } from './chart_words.js';
import { makeParts } from './flame_parts.js';
import {
	add,
	addSelect,
	colouringOptions,
	concernsTrees,
	fillLegend,
	type Select,
} from './flame_tools.js';

interface Tools {
	readonly threads: Select;
	readonly colouring: Select;
	readonly legend: HTMLElement;
	readonly note: HTMLElement; // in place of the chart if there is none
}

function makeTools(root: HTMLElement, app: App): Tools {
	const bar = add(root, 'div', 'flame-tools');
	const threads = addSelect(bar, 'Thread', (value) => app.set({ lane: Number(value) }, 'step'));
	const colouring = addSelect(bar, 'Colour', (value) => {
		app.set({ colouring: value as Colouring }, 'step');
	});
	const legend = add(bar, 'ul', 'flame-legend');
	legend.setAttribute('aria-label', 'Colours');
	const note = add(root, 'p', 'sandwich-none');
	return { threads, colouring, legend, note };
}

function fillThreads(c: Chart, select: Select): void {
	const { app } = c;
	const threads = shownThreads(app);
	const single = app.state.lane === NONE ? c.laid[0]?.lane.thread : undefined;
	const busiest = single === undefined ? 'the busiest' : `busiest: ${threadTitle(app, single)}`;
	const options: [string, string][] = [[String(NONE), busiest]];
	if (threads.length > 1) options.push([String(ALL_LANES), 'all']);
	for (const thread of threads) options.push([String(thread), threadTitle(app, thread)]);
	select.fill(options, String(app.state.lane));
}

function updateTools(c: Chart, tools: Tools): void {
	const { colouring } = c.app.state;
	const { theme } = c.palette;
	const how = colouring === 'diff' ? 'module' : colouring;
	fillThreads(c, tools.threads);
	tools.colouring.fill(colouringOptions(false), how);
	if (how === 'state') fillLegend(tools.legend, theme, how, stateLegend(theme), true);
	else fillLegend(tools.legend, theme, how, [fadedLegend(theme)]);
	tools.note.hidden = c.laid.length > 0;
	c.parts.element.hidden = c.laid.length === 0;
	tools.note.textContent =
		c.app.capture.periodNs > 0
			? 'No thread with samples is shown.'
			: 'This capture is counts without times: there is no order to show.';
}

function point(c: Chart, spot: Spot | null, clientX: number, clientY: number): void {
	const { app } = c;
	const had = c.pointed;
	const call = spot ? callOf(c, spot) : null;
	c.pointed = spot;
	c.parts.holder.style.cursor = spot ? 'pointer' : 'default';
	if (spot && call) {
		const sample = spot.laid.lane.first + spot.place;
		app.showTip(clientX, clientY, callLines(app, spot.laid.lane, call, sample));
		app.setHover({ sample, func: funcOf(c, spot), stack: stackOf(c, spot) });
	} else if (had) {
		app.showTip(0, 0, null);
		app.setHover(null);
	}
	drawOver(c);
}

function listen(c: Chart): void {
	const { app, parts } = c;
	listenToTime(parts.holder, parts.scroller, {
		window: () => windowOf(c),
		width: () => c.width,
		get durationNs() {
			return app.capture.durationNs;
		},
		setWindow: (window) => setWindow(c, window),
		hover: (x, y, clientX, clientY) => point(c, spotAt(c, x, y), clientX, clientY),
		leave: () => point(c, null, 0, 0),
		click: (x, y) => setFocus(c, spotAt(c, x, y), true),
		doubleClick() {
			if (c.focus) showSource(c, c.focus);
		},
		menu(x, y, clientX, clientY) {
			const spot = spotAt(c, x, y);
			if (!spot) return;
			setFocus(c, spot, false);
			app.showTip(0, 0, null);
			app.showMenu(clientX, clientY, menuOf(c, spot));
		},
	});
	parts.scroller.addEventListener('scroll', () => drawLater(c), { passive: true });
	new ResizeObserver(() => drawLater(c)).observe(parts.scroller);
}

function update(c: Chart, tools: Tools, changed: ReadonlySet<Change>): void {
	const all = concernsTrees(changed) || changed.has('lane');
	if (!all && !changed.has('tracks') && !changed.has('ranges')) {
		drawOver(c);
		return;
	}
	const others = layOutLanes(c, changed.has('capture'));
	if (others && !c.focus) c.parts.status.textContent = '';
	if (all) c.palette = makePalette(c.app, currentTheme());
	if (all || others) updateTools(c, tools);
	draw(c);
}

export function makeChart(): View {
	let chart: Chart | null = null;
	let tools: Tools | null = null;
	const bring = (changed: ReadonlySet<Change>): void => {
		if (chart && tools) update(chart, tools, changed);
	};
	return {
		mount(root, app) {
			root.classList.add('chart');
			tools = makeTools(root, app);
			chart = makeChartState(app, makeParts(root, chartLabel, null));
			listen(chart);
			bring(new Set<Change>(['shown', 'size']));
		},
		update: bring,
		key: (event) => (chart ? chartKey(chart, event) : false),
		help: chartHelp,
		svg() {
			if (!chart) return '';
			return chartPicture(sceneOf(chart, Math.max(chart.width, 300), 0.5, Infinity), chart.laid);
		},
	};
}
