// SPDX-License-Identifier: MIT
/**
 * The timeline: every sample of every thread in order of time, above all other views. What is drawn
 * and where is worked out by its parts (timeline_*.ts); here they are put together.
 */
import type { App, Change, View } from '../app/app.js';
import { isPutOff, putOff } from '../app/rest.js';
import type { Range } from '../app/state.js';
import { type Capture, type Marker, NONE } from '../data/capture.js';
import { commonDepths } from '../model/common.js';
import { KINDS, Kind } from '../model/pyramid.js';
import { currentTheme } from '../ui/colours.js';
import { make } from '../ui/dom.js';
import { type Bar, makeBar } from './timeline_bar.js';
import { type Activity, drawHead, HEAD_HEIGHT, makeActivity } from './timeline_head.js';
import { listenHead } from './timeline_head_pointer.js';
import { HELP, pressKey } from './timeline_keys.js';
import { drawLabels } from './timeline_labels.js';
import { laneHeight, makeLanes, makeSpanLanes, markersSeen } from './timeline_lanes.js';
import {
	fitScale,
	layOut,
	scaledHeight,
	tallHeight,
	trackHeight,
	tracksOf,
} from './timeline_layout.js';
import { windowToKeep } from './timeline_menu.js';
import { compareColour, makePalette } from './timeline_paint.js';
import {
	type Dom,
	forgetTracks,
	litDepths,
	shownFunc,
	type Timeline,
	trackFor,
} from './timeline_parts.js';
import { listenRows } from './timeline_pointer.js';
import { drawScene } from './timeline_scene.js';
import { busyOf, type Drawn, kindsIn, makeDrawn } from './timeline_series.js';
import { makeText, type Text } from './timeline_text.js';
import { clampWindow } from './timeline_window.js';

const REST_MS = 150; // after which a window counts as chosen
const NARROW_PX = 640; // below it, names lie on the tracks
const LABELS_PX = 150;

function makeDom(root: HTMLElement): Dom {
	const add = <K extends keyof HTMLElementTagNameMap>(tag: K, name: string, to: HTMLElement) => {
		const made = make(tag, name);
		to.append(made);
		return made;
	};
	root.classList.add('timeline');
	const bar = add('div', 'tl-bar', root);
	const head = add('div', 'tl-head', root);
	const headCanvas = add('canvas', 'tl-head-canvas', head);
	const scroll = add('div', 'tl-scroll', root);
	const space = add('div', 'tl-space', scroll);
	const stick = add('div', 'tl-stick', space);
	const canvas = add('canvas', 'tl-canvas', stick);
	const labels = add('div', 'tl-labels', stick);
	const grip = add('div', 'tl-grip', root);
	const text = add('div', 'tl-text', root);
	const live = add('p', 'tl-live', root);
	headCanvas.setAttribute('aria-hidden', 'true');
	headCanvas.style.height = `${HEAD_HEIGHT}px`;
	live.setAttribute('role', 'status');
	return { root, bar, head, headCanvas, scroll, space, stick, canvas, labels, grip, text, live };
}

/** What a tick takes; a guess if the capture does not say. */
function tickPeriod(app: App): number {
	const { periodNs, durationNs, threads } = app.capture;
	if (periodNs > 0) return periodNs;
	const most = threads.reduce((n, thread) => Math.max(n, thread.count), 1);
	return Math.max(1, durationNs / most);
}

/** Collections of garbage and waits for the GIL, if the capture has no markers that say it. */
function markersFromSamples(capture: Capture, drawn: Drawn, periodNs: number): Marker[] {
	const told = (words: RegExp) => capture.markers.some((marker) => words.test(marker.name));
	const seen = (kind: Kind, name: string) => markersSeen(capture, drawn.kind, kind, name, periodNs);
	return [
		...(told(/\bgc\b/i) ? [] : seen(Kind.Gc, 'GC')),
		...(told(/\bgil\b/i) ? [] : seen(Kind.GilWait, 'GIL wait')),
	];
}

function chosenWindow({ state, capture }: App): Range {
	const { window } = state.tracks;
	return clampWindow(window ?? { from: 0, to: capture.durationNs }, capture.durationNs);
}

function makeParts(root: HTMLElement, app: App, redraw: () => void): Timeline {
	const { capture } = app;
	const drawn = makeDrawn(capture);
	const periodNs = tickPeriod(app);
	const theme = currentTheme();
	const t: Timeline = {
		app,
		capture,
		drawn,
		kinds: kindsIn(drawn),
		busy: busyOf(drawn),
		dom: makeDom(root),
		window: chosenWindow(app),
		layout: { rows: [], height: 0 },
		lanes: [],
		theme,
		palette: makePalette(theme),
		compareColour: compareColour(theme),
		collapsed: new Set(),
		tall: new Set(),
		allTall: false,
		left: LABELS_PX,
		width: 1,
		height: 1,
		drag: null,
		comparing: false,
		tickPeriodNs: periodNs,
		seen: markersFromSamples(capture, drawn, periodNs),
		lossesNs: Float64Array.from(capture.losses, (loss) => loss.timeNs).sort(),
		lights: { common: null, near: null, lit: null, nearStack: NONE, litFunc: NONE, litOf: null },
		redraw,
		show: (window) => show(t, window),
		relayout: () => relayout(t),
		timeAt: (x) => t.window.from + (x / t.width) * (t.window.to - t.window.from),
		xOf: (ns) => ((ns - t.window.from) / (t.window.to - t.window.from)) * t.width,
	};
	return t;
}

/** Of a live page: what was made of the samples is made of those that are there now. */
function renew(t: Timeline): void {
	const { capture } = t;
	t.drawn = makeDrawn(capture);
	t.kinds = kindsIn(t.drawn);
	t.busy = busyOf(t.drawn);
	t.tickPeriodNs = tickPeriod(t.app);
	t.seen = markersFromSamples(capture, t.drawn, t.tickPeriodNs);
	t.lossesNs = Float64Array.from(capture.losses, (loss) => loss.timeNs).sort();
	t.lights.nearStack = NONE;
	t.lights.litOf = null;
	forgetTracks(t);
}

function show(t: Timeline, wanted: Range): void {
	t.window = clampWindow(wanted, t.capture.durationNs);
	t.redraw();
	putOff(t, REST_MS, () => {
		t.app.set({ tracks: { ...t.app.state.tracks, window: windowToKeep(t) } }, 'move');
	});
}

function busyShare(t: Timeline, threads: readonly number[]): number {
	let [busy, sum] = [0, 0];
	for (const thread of threads) {
		busy += t.busy[thread];
		for (let k = 0; k < KINDS; k++) sum += t.drawn.weights[thread * KINDS + k];
	}
	return sum > 0 ? busy / sum : 0;
}

let chosenHeight = 0; // by dragging the lower edge; 0: not chosen

function relayout(t: Timeline): void {
	const { tracks } = t.app.state;
	const { dom } = t;
	const count = tracksOf(t.capture, tracks).length;
	// few tracks lose nothing by little room, many are hidden by it
	const share = t.allTall ? 0.5 : count > 8 ? 0.34 : 0.28;
	const most = chosenHeight > 0 ? chosenHeight : Math.max(120, Math.min(640, innerHeight * share));
	const make = (scale: number) =>
		layOut(t.capture, tracks, {
			lanes: t.lanes.map(laneHeight),
			laneOf: t.lanes.map((lane) => lane.thread),
			collapsed: t.collapsed,
			tall: t.tall,
			allTall: t.allTall,
			trackHeight: (threads) => scaledHeight(trackHeight(count, busyShare(t, threads)), scale),
			tallHeight: (threads, chosen) => {
				const { usual, deepest } = trackFor(t, threads);
				return tallHeight(chosen ? deepest : usual);
			},
			busy: t.busy,
		});
	const whole = make(1);
	t.layout = whole.height > most ? make(fitScale(whole, most)) : whole;
	t.height = Math.max(40, Math.min(t.layout.height, most));
	dom.scroll.style.height = `${t.height}px`;
	dom.space.style.height = `${t.layout.height}px`;
	dom.stick.style.height = `${t.height}px`;
	t.redraw();
}

function measure(t: Timeline): void {
	const full = t.dom.scroll.clientWidth;
	t.left = full < NARROW_PX ? 0 : LABELS_PX;
	t.width = Math.max(10, full - t.left);
	t.dom.root.classList.toggle('tl-narrow', t.left === 0);
	t.dom.canvas.style.width = `${full}px`;
	t.dom.canvas.style.height = `${t.height}px`;
	t.dom.headCanvas.style.width = `${full}px`;
}

/** The lower edge: drag it, or the arrow keys, to give the tracks more room. */
function listenGrip(t: Timeline): void {
	const { grip } = t.dom;
	grip.tabIndex = 0;
	grip.setAttribute('role', 'separator');
	grip.setAttribute('aria-orientation', 'horizontal');
	grip.setAttribute('aria-label', 'Height of the timeline');
	const set = (height: number) => {
		chosenHeight = Math.max(60, Math.min(innerHeight * 0.85, height));
		grip.setAttribute('aria-valuenow', String(Math.round(chosenHeight)));
		t.relayout();
	};
	let from: { y: number; height: number } | null = null;
	grip.addEventListener('pointerdown', (event) => {
		from = { y: event.clientY, height: t.height };
		grip.setPointerCapture(event.pointerId);
	});
	grip.addEventListener('pointermove', (event) => {
		if (from !== null) set(from.height + event.clientY - from.y);
	});
	for (const name of ['pointerup', 'pointercancel'] as const) {
		grip.addEventListener(name, () => {
			from = null;
		});
	}
	grip.addEventListener('keydown', (event) => {
		const by = { ArrowUp: -24, ArrowDown: 24 }[event.key];
		if (by === undefined) return;
		set(t.height + by);
		event.preventDefault();
		event.stopPropagation();
	});
}

function readColours(t: Timeline): void {
	t.theme = currentTheme();
	t.palette = makePalette(t.theme);
	t.compareColour = compareColour(t.theme);
}

const READ_AT: readonly Change[] = ['hover', 'sample', 'func', 'shown'];

function readLights(t: Timeline, changed: ReadonlySet<Change>): void {
	const { app, capture, lights } = t;
	const { stacks, samples } = capture;
	const common = (sample: number) =>
		sample === NONE || sample >= samples.count ? null : commonDepths(stacks, samples.stack[sample]);
	if (changed.has('sample') || changed.has('capture')) lights.common = common(app.state.sample);
	if (READ_AT.some((change) => changed.has(change))) {
		readHover(t, common);
	}
}

function readHover(t: Timeline, common: (sample: number) => Uint16Array | null): void {
	const { app, capture, lights } = t;
	const { sample } = app.hover;
	const func = app.hover.func === NONE ? shownFunc(app, app.state.func) : app.hover.func;
	const stack =
		sample === NONE || sample === app.state.sample ? NONE : capture.samples.stack[sample];
	if (stack !== lights.nearStack) lights.near = stack === NONE ? null : common(sample);
	lights.nearStack = stack;
	const { tables } = app.shown();
	if (func !== lights.litFunc || tables !== lights.litOf) {
		lights.lit = func === NONE ? null : litDepths(app, func);
	}
	lights.litFunc = func;
	lights.litOf = tables;
}

const ALL: ReadonlySet<Change> = new Set<Change>(['colours', 'sample', 'hover', 'tracks']);

export function makeTimeline(): View {
	let t: Timeline;
	let bar: Bar;
	let text: Text;
	let activity: Activity;
	let frame = 0;

	function draw(): void {
		cancelAnimationFrame(frame);
		frame = 0;
		measure(t);
		drawHead(t, activity);
		drawScene(t);
		drawLabels(t);
		bar.place();
	}

	function follow(changed: ReadonlySet<Change>): void {
		if (changed.has('colours') || changed.has('theme')) readColours(t);
		const others = changed.has('capture');
		if (others) renew(t);
		if (changed.has('tracks') || others) {
			if (!isPutOff(t)) t.window = chosenWindow(t.app);
			if (text.tracksChanged() || others) {
				const { hidden } = t.app.state.tracks;
				t.lanes = [...makeLanes(t.capture, hidden, t.seen), ...makeSpanLanes(t.capture, hidden)];
				activity = makeActivity(t);
				relayout(t);
			}
		}
		if (changed.has('size')) relayout(t);
		readLights(t, changed);
		if (changed.size > 1 || !(changed.has('hover') || changed.has('preview'))) bar.refresh();
		text.update(changed);
	}

	return {
		mount(root, app) {
			t = makeParts(root, app, () => {
				if (frame === 0) frame = requestAnimationFrame(draw);
			});
			bar = makeBar(t);
			text = makeText(t);
			activity = makeActivity(t);
			listenRows(t);
			listenHead(t);
			listenGrip(t);
			new ResizeObserver(() => relayout(t)).observe(root);
			relayout(t);
			measure(t);
			follow(ALL);
		},
		update(changed) {
			follow(changed);
			draw();
		},
		key(event) {
			if (event.key === 'Escape' && bar.close()) return true;
			return pressKey(t, event);
		},
		help: HELP,
	};
}
