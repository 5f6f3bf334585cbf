// SPDX-License-Identifier: MIT
/** The buttons of the timeline, its legend, and those that lie at a selection. */
import { button, make } from '../ui/dom.js';
import { fillTracksPanel, popRange, zoomToRange } from './timeline_menu.js';
import { kindColours } from './timeline_paint.js';
import { lastRange, shownFunc, type Timeline } from './timeline_parts.js';
import { KIND_NAMES } from './timeline_series.js';
import { zoomWindow } from './timeline_window.js';

/** As the legend calls the kinds. */
const SHORT_NAMES: readonly string[] = [
	'running, holds the GIL',
	'running',
	'GC',
	'waits for the GIL',
	'runnable',
	'waiting',
	'unknown',
	'not readable',
];

export interface Bar {
	/** After a change of the state or of the colours. */
	refresh(): void;
	/** Puts the buttons of the selections where these are. */
	place(): void;
	/** Closes the list of tracks; true if it was open. */
	close(): boolean;
}

export function zoomBy(t: Timeline, factor: number): void {
	const { state, capture } = t.app;
	const { from, to } = t.window;
	const selected = state.sample >= 0 ? capture.samples.timeNs[state.sample] : -1;
	const at = selected >= from && selected <= to ? selected : (from + to) / 2;
	t.show(zoomWindow(t.window, at, factor, capture.durationNs));
}

export function showWhole(t: Timeline): void {
	t.show({ from: 0, to: t.capture.durationNs });
}

export function makeBar(t: Timeline): Bar {
	const { bar, head } = t.dom;
	const panel = make('div', 'tl-panel');
	panel.hidden = true;
	const open = (on: boolean) => {
		panel.hidden = !on;
		tracks.setAttribute('aria-expanded', String(on));
		if (on) fillTracksPanel(t, panel);
	};
	const tracks = button('', 'Tracks', 'Which tracks are shown, and how', () => open(panel.hidden));
	tracks.setAttribute('aria-expanded', 'false');
	const compare = button(
		'tl-compare',
		'Compare',
		'Select a second range to compare with (shift and drag)',
		() => {
			t.comparing = !t.comparing;
			refresh();
			if (t.comparing) t.app.say('Drag over the time to compare with');
		},
	);
	const tall = button('', 'Names', 'Room for names of functions in all tracks', () => {
		t.allTall = !t.allTall;
		tall.setAttribute('aria-pressed', String(t.allTall));
		t.relayout();
	});
	tall.setAttribute('aria-pressed', 'false');
	const legend = make('ul', 'tl-legend');
	legend.setAttribute('aria-label', 'Colours of samples');
	bar.append(
		tracks,
		button('', '\u2212', 'Zoom out (-)', () => zoomBy(t, 0.5)),
		button('', '+', 'Zoom in (+)', () => zoomBy(t, 2)),
		button('', 'All', 'Show the whole capture (0)', () => showWhole(t)),
		tall,
		compare,
		legend,
		panel,
	);
	document.addEventListener('pointerdown', (event) => {
		const inside =
			event.target instanceof Node &&
			(panel.contains(event.target) || tracks.contains(event.target));
		if (!panel.hidden && !inside) open(false);
	});
	const picked = pickedButtons(t);
	head.append(picked.range, picked.compare);

	function refresh(): void {
		compare.setAttribute('aria-pressed', String(t.comparing));
		t.dom.root.classList.toggle('tl-comparing', t.comparing);
		fillLegend(t, legend);
		if (!panel.hidden) fillTracksPanel(t, panel);
		place();
	}
	function place(): void {
		const { compare: other } = t.app.state;
		placeAt(t, picked.range, t.drag === null ? lastRange(t) : null);
		placeAt(t, picked.compare, t.drag === null ? other : null);
	}
	return {
		refresh,
		place,
		close() {
			const was = !panel.hidden;
			open(false);
			if (was) tracks.focus();
			return was;
		},
	};
}

function pickedButtons(t: Timeline): { range: HTMLElement; compare: HTMLElement } {
	const range = make(
		'div',
		'tl-picked',
		button('', 'Zoom', 'Zoom to the selection (z)', () => void zoomToRange(t)),
		button('', 'Clear', 'Clear the selection (Esc)', () => void popRange(t)),
	);
	const compare = make(
		'div',
		'tl-picked tl-picked-compare',
		button('', 'Clear', 'Clear the range to compare with', () =>
			t.app.set({ compare: null }, 'step'),
		),
	);
	return { range, compare };
}

/** At the right end of a range, within the plot; hidden if the range is out of sight. */
function placeAt(
	t: Timeline,
	buttons: HTMLElement,
	range: { from: number; to: number } | null,
): void {
	const outside = range === null || t.xOf(range.to) < 0 || t.xOf(range.from) > t.width;
	buttons.hidden = outside;
	if (range === null || outside) return;
	const width = buttons.offsetWidth;
	const right = Math.min(t.width, Math.max(t.xOf(range.to), width));
	buttons.style.transform = `translateX(${Math.round(t.left + right - width)}px)`;
}

function fillLegend(t: Timeline, legend: HTMLElement): void {
	const colours = kindColours(t.theme);
	legend.replaceChildren();
	for (const k of t.kinds) addSwatch(legend, colours[k], SHORT_NAMES[k], KIND_NAMES[k]);
	if (t.app.state.sample >= 0) {
		addSwatch(legend, t.theme.common, 'in common', 'frames in common with the selected sample');
	}
	if (shownFunc(t.app, t.app.state.func) >= 0) {
		addSwatch(legend, t.theme.match, 'function', 'the selected function, and paler what it calls');
	}
}

function addSwatch(legend: HTMLElement, colour: string, text: string, title: string): void {
	const swatch = make('span', 'tl-swatch');
	swatch.style.backgroundColor = colour;
	const item = make('li', '', swatch, text);
	item.title = title;
	legend.append(item);
}
