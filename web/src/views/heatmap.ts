// SPDX-License-Identifier: MIT
/**
 * The heat map: columns are seconds (or another period), rows the time within them, colours how many
 * samples there are. What comes back every second is a line.
 */
import type { App, Change, View } from '../app/app.js';
import type { Mode, Range } from '../app/state.js';
import { binCounts } from '../model/heat.js';
import { currentTheme } from '../ui/colours.js';
import { attributes, make } from '../ui/dom.js';
import { formatCount, formatNumber, formatTime } from '../ui/format.js';
import {
	AXIS_BOTTOM,
	AXIS_LEFT,
	drawHeat,
	heatColours,
	heatStep,
	type Picture,
} from './heatmap_draw.js';
import {
	binAt,
	binNs,
	binsOf,
	cellOf,
	choosePeriod,
	chooseRows,
	type Grid,
	makeGrid,
	PERIODS_NS,
	periodName,
	ROWS,
	rangeOfBins,
	topCount,
} from './heatmap_grid.js';
import { momentText } from './timeline_axis.js';
import { compareColour } from './timeline_paint.js';
import { nestRange } from './timeline_window.js';

const MODES: readonly (readonly [Mode, string])[] = [
	['cpu', 'samples on a processor or ready to run'],
	['gil', 'samples holding the GIL'],
	['idle', 'samples waiting'],
	['wall', 'samples'],
];

function what(h: Heat): string {
	return MODES[Number(h.mode.value)][1];
}

interface Heat {
	readonly app: App;
	readonly scroll: HTMLElement;
	readonly space: HTMLElement;
	readonly canvas: HTMLCanvasElement;
	readonly legend: HTMLElement;
	readonly live: HTMLElement;
	readonly period: HTMLSelectElement;
	readonly rows: HTMLSelectElement;
	readonly mode: HTMLSelectElement; // row in MODES
	grid: Grid;
	counts: Float64Array;
	top: number;
	cursor: number;
	anchor: number; // where a drag, or shift and arrows, began; -1: no drag
	dragged: Range | null;
}

type Choice = readonly [number, string];

/** As the page counts; wall time is the same in every cell, so that it is the processor's here. */
function modeRow({ state }: App): number {
	return Math.max(0, state.mode === 'wall' ? 0 : MODES.findIndex(([mode]) => mode === state.mode));
}

function picker(
	label: string,
	options: readonly Choice[],
	value: number,
	run: () => void,
): { line: HTMLElement; select: HTMLSelectElement } {
	const select = make('select', '');
	for (const [n, text] of options) select.append(new Option(text, String(n)));
	select.value = String(value);
	select.addEventListener('change', run);
	return { line: make('label', 'hm-choice', label, select), select };
}

function makeHeat(root: HTMLElement, app: App): Heat {
	const { durationNs, periodNs } = app.capture;
	const period = choosePeriod(durationNs, periodNs);
	const again = () => {
		count(h);
		arrange(h);
	};
	const lengths: Choice[] = PERIODS_NS.map((n) => [n, periodName(n)]);
	const columns = picker('Column ', lengths, period, again);
	const many: Choice[] = ROWS.map((n) => [n, String(n)]);
	const rows = picker('Rows ', many, chooseRows(period, periodNs), again);
	const kinds: Choice[] = ['on processor', 'holding the GIL', 'waiting', 'all'].map((k, i) => [
		i,
		k,
	]);
	const mode = picker('Samples ', kinds, modeRow(app), again);
	const legend = make('div', 'hm-legend');
	const canvas = make('canvas', 'hm-canvas');
	const space = make('div', 'hm-space', canvas);
	const scroll = attributes(make('div', 'hm-scroll', space), {
		tabindex: 0,
		role: 'application',
		'aria-roledescription': 'heat map',
	});
	const live = attributes(make('p', 'unseen'), { role: 'status' });
	root.classList.add('heatmap');
	root.append(make('div', 'hm-bar', mode.line, columns.line, rows.line, legend), scroll, live);
	const h: Heat = {
		app,
		scroll,
		space,
		canvas,
		legend,
		live,
		period: columns.select,
		rows: rows.select,
		mode: mode.select,
		grid: makeGrid(durationNs, period, ROWS[0], 100, 100),
		counts: new Float64Array(0),
		top: 1,
		cursor: -1,
		anchor: -1,
		dragged: null,
	};
	return h;
}

/** Counts the samples anew: what is selected by time does not matter here. */
function count(h: Heat): void {
	const { app } = h;
	const { durationNs } = app.capture;
	h.grid = { ...h.grid, periodNs: Number(h.period.value), rows: Number(h.rows.value) };
	const stackOf = app.state.transforms.length > 0 ? app.shown().stackOf : null;
	const state = { ...app.state, mode: MODES[Number(h.mode.value)][0] };
	h.counts = binCounts(app.capture, state, binNs(h.grid), 0, durationNs, stackOf);
	h.top = topCount(h.counts);
	h.cursor = -1;
	h.anchor = -1;
}

/** Sizes for the room there is; draws. */
function arrange(h: Heat): void {
	const { periodNs, rows } = h.grid;
	const width = Math.max(80, h.scroll.clientWidth - AXIS_LEFT - 4);
	const height = Math.max(120, h.scroll.clientHeight - AXIS_BOTTOM - 14);
	h.grid = makeGrid(h.app.capture.durationNs, periodNs, rows, width, height);
	const whole = AXIS_LEFT + h.grid.columns * h.grid.cellWidth + 4;
	h.space.style.width = `${whole}px`;
	const inSight = Math.min(whole, h.scroll.clientWidth);
	h.canvas.style.width = `${inSight}px`;
	h.canvas.style.height = `${h.grid.rows * h.grid.cellHeight + AXIS_BOTTOM}px`;
	fillLegend(h);
	draw(h);
}

function fillLegend(h: Heat): void {
	const { legend } = h;
	const colours = heatColours(currentTheme());
	const strip = make('span', 'hm-strip');
	colours.forEach((colour) => {
		const step = make('i', '');
		step.style.backgroundColor = colour;
		strip.append(step);
	});
	const most = h.counts.reduce((a, b) => Math.max(a, b), 0);
	const more = most > h.top ? ' or more' : '';
	legend.replaceChildren(
		`${what(h)} in ${formatTime(binNs(h.grid))}: 0 `,
		strip,
		` ${formatCount(h.top)}${more}`,
	);
	const { columns, rows, periodNs } = h.grid;
	h.scroll.setAttribute(
		'aria-label',
		`Heat map of ${what(h)}: ${columns} columns of ${periodName(periodNs)}, ` +
			`${rows} rows. Arrow keys go from cell to cell, Enter selects.`,
	);
}

function picture(h: Heat): Picture {
	const { app } = h;
	return {
		grid: h.grid,
		counts: h.counts,
		top: h.top,
		theme: currentTheme(),
		scroll: h.scroll.scrollLeft,
		width: h.canvas.clientWidth - AXIS_LEFT,
		selected: app.preview ?? app.state.ranges.at(-1) ?? null,
		compare: app.state.compare,
		compareColour: compareColour(currentTheme()),
		dragged: h.dragged,
		cursor: h.cursor,
	};
}

function draw(h: Heat): void {
	const { canvas } = h;
	const dpr = devicePixelRatio || 1;
	const width = Math.round(canvas.clientWidth * dpr);
	const height = Math.round(canvas.clientHeight * dpr);
	if (width === 0 || height === 0) return;
	if (canvas.width !== width || canvas.height !== height) {
		canvas.width = width;
		canvas.height = height;
	}
	const c = canvas.getContext('2d');
	if (c === null) return;
	c.setTransform(dpr, 0, 0, dpr, 0, 0);
	c.clearRect(0, 0, width, height);
	drawHeat(c, picture(h));
}

/** "1 sample holding the GIL". */
function countText(h: Heat, count: number): string {
	return what(h).replace(/^samples/, formatNumber(count, 'sample'));
}

/** Of a cell: when, and how many. */
function cellLines(h: Heat, bin: number): string[] {
	const { from, to } = rangeOfBins(h.grid, bin, bin);
	const { durationNs } = h.app.capture;
	const at = (ns: number) => momentText(ns, (to - from) * 200, durationNs);
	return [`${at(from)} to ${at(to)}`, countText(h, h.counts[bin] ?? 0)];
}

function dragLines(h: Heat, range: Range): string[] {
	const bin = binNs(h.grid);
	let sum = 0;
	for (let i = Math.round(range.from / bin); i < Math.round(range.to / bin); i++) {
		sum += h.counts[i] ?? 0;
	}
	const at = (ns: number) => momentText(ns, bin * 200, h.app.capture.durationNs);
	return [
		`${at(range.from)} to ${at(range.to)}`,
		`${formatTime(range.to - range.from)}, ${countText(h, sum)}`,
	];
}

function extend(h: Heat, bin: number): void {
	h.dragged = rangeOfBins(h.grid, h.anchor, bin);
	h.app.setPreview(h.dragged);
	draw(h);
}

function commit(h: Heat, compare: boolean): void {
	const range = h.dragged;
	h.dragged = null;
	h.anchor = -1;
	h.app.setPreview(null);
	if (range !== null) {
		const { ranges } = h.app.state;
		h.app.set(compare ? { compare: range } : { ranges: nestRange(ranges, range) }, 'step');
	}
	draw(h);
}

function cancel(h: Heat): boolean {
	if (h.anchor < 0) return false;
	h.anchor = -1;
	h.dragged = null;
	h.app.setPreview(null);
	draw(h);
	return true;
}

/** A finger scrolls: a range is made by tapping its first and its last cell. */
function tap(h: Heat, bin: number): void {
	if (h.anchor < 0) {
		h.anchor = bin;
		extend(h, bin);
		h.app.say(`${cellLines(h, bin).join(', ')}. Tap where the range ends`);
		return;
	}
	extend(h, bin);
	commit(h, false);
}

function listen(h: Heat): void {
	const { canvas, scroll, app } = h;
	const binOf = (event: PointerEvent): number => {
		const box = canvas.getBoundingClientRect();
		const x = event.clientX - box.left - AXIS_LEFT + scroll.scrollLeft;
		return binAt(h.grid, x, event.clientY - box.top);
	};
	const inside = (event: PointerEvent): boolean => {
		const box = canvas.getBoundingClientRect();
		const y = event.clientY - box.top;
		return event.clientX - box.left >= AXIS_LEFT && y < h.grid.rows * h.grid.cellHeight;
	};
	canvas.addEventListener('pointerdown', (event) => {
		if (event.button !== 0 || !inside(event)) return;
		h.cursor = -1;
		if (event.pointerType === 'touch') return;
		canvas.setPointerCapture(event.pointerId);
		h.anchor = binOf(event);
		extend(h, h.anchor);
	});
	canvas.addEventListener('pointermove', (event) => {
		const bin = binOf(event);
		if (event.pointerType === 'touch') return;
		if (h.anchor >= 0) {
			extend(h, bin);
			app.showTip(event.clientX, event.clientY, h.dragged && dragLines(h, h.dragged));
		} else {
			app.showTip(event.clientX, event.clientY, inside(event) ? cellLines(h, bin) : null);
		}
	});
	canvas.addEventListener('pointerup', (event) => {
		if (event.pointerType === 'touch') {
			if (inside(event)) tap(h, binOf(event));
			return;
		}
		if (h.anchor >= 0) commit(h, event.shiftKey);
		app.showTip(0, 0, null);
	});
	canvas.addEventListener('pointercancel', (event) => {
		if (event.pointerType !== 'touch') cancel(h);
	});
	canvas.addEventListener('pointerleave', () => app.showTip(0, 0, null));
	scroll.addEventListener('scroll', () => requestAnimationFrame(() => draw(h)), { passive: true });
}

/** Arrows move a cell, with shift they extend a range from it, Enter selects, Escape gives up. */
function pressKey(h: Heat, event: KeyboardEvent): boolean {
	if (!h.scroll.contains(document.activeElement)) return false;
	if (event.ctrlKey || event.metaKey || event.altKey) return false;
	if (event.key === 'Escape') return cancel(h);
	if (event.key === 'Enter' && h.cursor >= 0) {
		if (h.anchor < 0) h.dragged = rangeOfBins(h.grid, h.cursor, h.cursor);
		commit(h, event.shiftKey);
		return true;
	}
	const { rows } = h.grid;
	const by = { ArrowUp: 1, ArrowDown: -1, ArrowLeft: -rows, ArrowRight: rows }[event.key];
	if (by === undefined) return false;
	const next = h.cursor < 0 ? 0 : Math.max(0, Math.min(binsOf(h.grid) - 1, h.cursor + by));
	if (event.shiftKey && h.anchor < 0) h.anchor = Math.max(0, h.cursor);
	else if (!event.shiftKey) cancel(h);
	h.cursor = next;
	const { x } = cellOf(h.grid, next);
	const room = h.scroll.clientWidth - AXIS_LEFT - h.grid.cellWidth;
	if (x < h.scroll.scrollLeft) h.scroll.scrollLeft = x;
	else if (x > h.scroll.scrollLeft + room) h.scroll.scrollLeft = x - room;
	if (event.shiftKey) extend(h, next);
	else draw(h);
	h.live.textContent = cellLines(h, next).join(', ');
	return true;
}

/** All cells as rectangles, those that follow each other in a colour as one. */
function toSvg(h: Heat): string {
	const { grid, counts, top } = h;
	const theme = currentTheme();
	const colours = heatColours(theme);
	const width = grid.columns * grid.cellWidth;
	const height = grid.rows * grid.cellHeight;
	const boxes: string[] = [`<rect width="${width}" height="${height}" fill="${colours[0]}"/>`];
	for (let bin = 0; bin < counts.length; bin++) {
		const step = heatStep(counts[bin], top);
		if (step === 0) continue;
		let end = bin + 1;
		while (end < counts.length && end % grid.rows > 0 && heatStep(counts[end], top) === step) end++;
		const { x, y } = cellOf(grid, end - 1);
		const high = (end - bin) * grid.cellHeight;
		boxes.push(
			`<rect x="${x}" y="${y}" width="${grid.cellWidth}" height="${high}" fill="${colours[step]}"/>`,
		);
		bin = end - 1;
	}
	return (
		`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ` +
		`viewBox="0 0 ${width} ${height}">${boxes.join('')}</svg>`
	);
}

const COUNTED: readonly Change[] = ['mode', 'tracks', 'transforms', 'shown'];

export function makeHeatmap(): View {
	let h: Heat;
	let hidden: readonly number[] | null = null;

	return {
		mount(root, app) {
			h = makeHeat(root, app);
			listen(h);
			count(h);
			arrange(h);
		},
		update(changed) {
			const { app } = h;
			const others = COUNTED.some((c) => c !== 'tracks' && changed.has(c));
			if (others || app.state.tracks.hidden !== hidden) {
				hidden = app.state.tracks.hidden;
				if (changed.has('mode')) h.mode.value = String(modeRow(app));
				const { cursor, anchor } = h;
				count(h);
				if (changed.has('capture')) Object.assign(h, { cursor, anchor });
				arrange(h);
			} else if (changed.has('size') || changed.has('colours') || changed.has('theme')) {
				arrange(h);
			} else if (changed.has('ranges') || changed.has('compare') || changed.has('preview')) {
				draw(h);
			}
		},
		key: (event) => pressKey(h, event),
		svg: () => toSvg(h),
		help: [
			['drag on the heat map', 'select the time from one cell to another'],
			['shift + drag', 'select the time to compare with'],
			['arrow keys', 'go from cell to cell; with shift a range'],
			['Enter', 'select the cell, or the range'],
		],
	};
}
